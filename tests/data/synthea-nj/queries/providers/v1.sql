/*---
purpose = "Clinicians"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["Id"]

[columns]
Id           = { type = "uniqueidentifier not null", class = "operational" }
ORGANIZATION = { type = "uniqueidentifier not null", class = "operational" }
NAME         = { type = "nvarchar(27) not null", class = "identifier", privacy = "keep" }
GENDER       = { type = "nvarchar(1) not null", class = "operational" }
SPECIALITY   = { type = "nvarchar(16) not null", class = "operational" }
ADDRESS      = { type = "nvarchar(48) not null", class = "operational" }
CITY         = { type = "nvarchar(18) not null", class = "operational" }
STATE        = { type = "nvarchar(2) not null", class = "operational" }
ZIP          = { type = "nvarchar(9) not null", class = "operational" }
LAT          = { type = "float not null", class = "operational" }
LON          = { type = "float not null", class = "operational" }
ENCOUNTERS   = { type = "int not null", class = "operational" }
PROCEDURES   = { type = "int not null", class = "operational" }
---*/
SELECT
    Id,
    ORGANIZATION,
    NAME,
    GENDER,
    SPECIALITY,
    ADDRESS,
    CITY,
    [STATE],
    ZIP,
    LAT,
    LON,
    ENCOUNTERS,
    PROCEDURES
FROM providers
