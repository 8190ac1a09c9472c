/*---
purpose = "Vaccines given"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

[columns]
DATE        = { type = "datetimeoffset(0) not null", class = "quasi" }
PATIENT     = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
ENCOUNTER   = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
CODE        = { type = "nvarchar(3) not null", class = "clinical" }
DESCRIPTION = { type = "nvarchar(67) not null", class = "clinical" }
BASE_COST   = { type = "decimal(18,2) not null", class = "operational" }
---*/
SELECT
    [DATE],
    PATIENT,
    ENCOUNTER,
    CODE,
    DESCRIPTION,
    BASE_COST
FROM immunizations
