/*---
purpose = "Contacts with what they cost"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["Id"]

[columns]
Id                  = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
START               = { type = "datetimeoffset(0) not null", class = "quasi" }
STOP                = { type = "datetimeoffset(0) not null", class = "quasi" }
PATIENT             = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
ORGANIZATION        = { type = "uniqueidentifier not null", class = "operational" }
PROVIDER            = { type = "uniqueidentifier not null", class = "operational" }
PAYER               = { type = "uniqueidentifier not null", class = "operational" }
ENCOUNTERCLASS      = { type = "nvarchar(10) not null", class = "operational" }
CODE                = { type = "nvarchar(15) not null", class = "clinical" }
DESCRIPTION         = { type = "nvarchar(70) not null", class = "clinical" }
BASE_ENCOUNTER_COST = { type = "decimal(18,2) not null", class = "operational" }
TOTAL_CLAIM_COST    = { type = "decimal(18,2) not null", class = "operational" }
PAYER_COVERAGE      = { type = "decimal(18,2) not null", class = "operational" }
REASONCODE          = { type = "nvarchar(15)", class = "clinical" }
REASONDESCRIPTION   = { type = "nvarchar(70)", class = "clinical" }
---*/
SELECT
    Id,
    [START],
    [STOP],
    PATIENT,
    ORGANIZATION,
    PROVIDER,
    PAYER,
    ENCOUNTERCLASS,
    CODE,
    DESCRIPTION,
    BASE_ENCOUNTER_COST,
    TOTAL_CLAIM_COST,
    PAYER_COVERAGE,
    REASONCODE,
    REASONDESCRIPTION
FROM encounters
