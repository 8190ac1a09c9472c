/*---
purpose = "Diagnoses with start and, where over, end"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

[columns]
START       = { type = "date not null", class = "quasi" }
STOP        = { type = "date", class = "quasi" }
PATIENT     = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
ENCOUNTER   = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
SYSTEM      = { type = "nvarchar(9) not null", class = "operational" }
CODE        = { type = "nvarchar(17) not null", class = "clinical" }
DESCRIPTION = { type = "nvarchar(80) not null", class = "clinical" }
---*/
SELECT
    [START],
    [STOP],
    PATIENT,
    ENCOUNTER,
    [SYSTEM],
    CODE,
    DESCRIPTION
FROM conditions
