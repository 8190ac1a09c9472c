/*---
purpose = "Allergies and intolerances, with up to two reactions each"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

[columns]
START        = { type = "date not null", class = "quasi" }
STOP         = { type = "nvarchar(1)", class = "quasi" }
PATIENT      = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
ENCOUNTER    = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
CODE         = { type = "nvarchar(15) not null", class = "clinical" }
SYSTEM       = { type = "nvarchar(7) not null", class = "operational" }
DESCRIPTION  = { type = "nvarchar(30) not null", class = "clinical" }
TYPE         = { type = "nvarchar(11) not null", class = "clinical" }
CATEGORY     = { type = "nvarchar(11) not null", class = "clinical" }
REACTION1    = { type = "nvarchar(9)", class = "clinical" }
DESCRIPTION1 = { type = "nvarchar(30)", class = "clinical" }
SEVERITY1    = { type = "nvarchar(8)", class = "clinical" }
REACTION2    = { type = "nvarchar(9)", class = "clinical" }
DESCRIPTION2 = { type = "nvarchar(30)", class = "clinical" }
SEVERITY2    = { type = "nvarchar(8)", class = "clinical" }
---*/
SELECT
    [START],
    [STOP],
    PATIENT,
    ENCOUNTER,
    CODE,
    [SYSTEM],
    DESCRIPTION,
    [TYPE],
    CATEGORY,
    REACTION1,
    DESCRIPTION1,
    SEVERITY1,
    REACTION2,
    DESCRIPTION2,
    SEVERITY2
FROM allergies
