/*---
purpose = "Prescriptions with their reasons and costs"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

[columns]
START             = { type = "datetimeoffset(0) not null", class = "quasi" }
STOP              = { type = "datetimeoffset(0)", class = "quasi" }
PATIENT           = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
PAYER             = { type = "uniqueidentifier not null", class = "operational" }
ENCOUNTER         = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
CODE              = { type = "nvarchar(7) not null", class = "clinical" }
DESCRIPTION       = { type = "nvarchar(113) not null", class = "clinical" }
BASE_COST         = { type = "decimal(18,2) not null", class = "operational" }
PAYER_COVERAGE    = { type = "decimal(18,2) not null", class = "operational" }
DISPENSES         = { type = "int not null", class = "operational" }
TOTALCOST         = { type = "decimal(18,2) not null", class = "operational" }
REASONCODE        = { type = "nvarchar(15)", class = "clinical" }
REASONDESCRIPTION = { type = "nvarchar(46)", class = "clinical" }
---*/
SELECT
    [START],
    [STOP],
    PATIENT,
    PAYER,
    ENCOUNTER,
    CODE,
    DESCRIPTION,
    BASE_COST,
    PAYER_COVERAGE,
    DISPENSES,
    TOTALCOST,
    REASONCODE,
    REASONDESCRIPTION
FROM medications
