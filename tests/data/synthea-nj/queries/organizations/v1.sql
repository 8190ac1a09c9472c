/*---
purpose = "Places of care"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["Id"]

[columns]
Id          = { type = "uniqueidentifier not null", class = "operational" }
NAME        = { type = "nvarchar(63) not null", class = "operational" }
ADDRESS     = { type = "nvarchar(48) not null", class = "operational" }
CITY        = { type = "nvarchar(18) not null", class = "operational" }
STATE       = { type = "nvarchar(2) not null", class = "operational" }
ZIP         = { type = "nvarchar(9) not null", class = "operational" }
LAT         = { type = "float not null", class = "operational" }
LON         = { type = "float not null", class = "operational" }
PHONE       = { type = "nvarchar(28) not null", class = "operational" }
REVENUE     = { type = "float not null", class = "operational" }
UTILIZATION = { type = "int not null", class = "operational" }
---*/
SELECT
    Id,
    NAME,
    ADDRESS,
    CITY,
    [STATE],
    ZIP,
    LAT,
    LON,
    PHONE,
    REVENUE,
    UTILIZATION
FROM organizations
