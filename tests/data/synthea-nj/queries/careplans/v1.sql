/*---
purpose = "Plans of care with their reasons"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["Id"]

[columns]
Id                = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
START             = { type = "date not null", class = "quasi" }
STOP              = { type = "date", class = "quasi" }
PATIENT           = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
ENCOUNTER         = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
CODE              = { type = "nvarchar(9) not null", class = "clinical" }
DESCRIPTION       = { type = "nvarchar(62) not null", class = "clinical" }
REASONCODE        = { type = "nvarchar(9)", class = "clinical" }
REASONDESCRIPTION = { type = "nvarchar(59)", class = "clinical" }
---*/
SELECT
    Id,
    [START],
    [STOP],
    PATIENT,
    ENCOUNTER,
    CODE,
    DESCRIPTION,
    REASONCODE,
    REASONDESCRIPTION
FROM careplans
