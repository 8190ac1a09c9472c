/*---
purpose = "Insurers with their yearly sums"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["Id"]

[columns]
Id                      = { type = "uniqueidentifier not null", class = "operational" }
NAME                    = { type = "nvarchar(22) not null", class = "operational" }
OWNERSHIP               = { type = "nvarchar(12) not null", class = "operational" }
ADDRESS                 = { type = "nvarchar(1)", class = "operational" }
CITY                    = { type = "nvarchar(1)", class = "operational" }
STATE_HEADQUARTERED     = { type = "nvarchar(1)", class = "operational" }
ZIP                     = { type = "nvarchar(1)", class = "operational" }
PHONE                   = { type = "nvarchar(1)", class = "operational" }
AMOUNT_COVERED          = { type = "decimal(18,2) not null", class = "operational" }
AMOUNT_UNCOVERED        = { type = "decimal(18,2) not null", class = "operational" }
REVENUE                 = { type = "decimal(18,2) not null", class = "operational" }
COVERED_ENCOUNTERS      = { type = "int not null", class = "operational" }
UNCOVERED_ENCOUNTERS    = { type = "int not null", class = "operational" }
COVERED_MEDICATIONS     = { type = "int not null", class = "operational" }
UNCOVERED_MEDICATIONS   = { type = "int not null", class = "operational" }
COVERED_PROCEDURES      = { type = "int not null", class = "operational" }
UNCOVERED_PROCEDURES    = { type = "int not null", class = "operational" }
COVERED_IMMUNIZATIONS   = { type = "int not null", class = "operational" }
UNCOVERED_IMMUNIZATIONS = { type = "int not null", class = "operational" }
UNIQUE_CUSTOMERS        = { type = "int not null", class = "operational" }
QOLS_AVG                = { type = "float not null", class = "operational" }
MEMBER_MONTHS           = { type = "int not null", class = "operational" }
---*/
SELECT
    Id,
    NAME,
    OWNERSHIP,
    ADDRESS,
    CITY,
    STATE_HEADQUARTERED,
    ZIP,
    PHONE,
    AMOUNT_COVERED,
    AMOUNT_UNCOVERED,
    REVENUE,
    COVERED_ENCOUNTERS,
    UNCOVERED_ENCOUNTERS,
    COVERED_MEDICATIONS,
    UNCOVERED_MEDICATIONS,
    COVERED_PROCEDURES,
    UNCOVERED_PROCEDURES,
    COVERED_IMMUNIZATIONS,
    UNCOVERED_IMMUNIZATIONS,
    UNIQUE_CUSTOMERS,
    QOLS_AVG,
    MEMBER_MONTHS
FROM payers
