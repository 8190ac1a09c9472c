/*---
purpose = "Things handed out"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

[columns]
DATE        = { type = "date not null", class = "quasi" }
PATIENT     = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
ENCOUNTER   = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
CODE        = { type = "nvarchar(10) not null", class = "clinical" }
DESCRIPTION = { type = "nvarchar(91) not null", class = "clinical" }
QUANTITY    = { type = "int not null", class = "clinical" }
---*/
SELECT
    [DATE],
    PATIENT,
    ENCOUNTER,
    CODE,
    DESCRIPTION,
    QUANTITY
FROM supplies
