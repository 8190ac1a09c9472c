/*---
purpose = "Qualifiers of demographics, one row for each"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID", "QNAM"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
RDOMAIN  = { type = "nvarchar(2) not null", class = "operational" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
IDVAR    = { type = "bit", class = "operational" }
IDVARVAL = { type = "bit", class = "operational" }
QNAM     = { type = "nvarchar(8) not null", class = "clinical" }
QLABEL   = { type = "nvarchar(37) not null", class = "clinical" }
QVAL     = { type = "nvarchar(1) not null", class = "clinical" }
QORIG    = { type = "nvarchar(7) not null", class = "clinical" }
QEVAL    = { type = "nvarchar(22) not null", class = "clinical" }
---*/
SELECT
    STUDYID,
    RDOMAIN,
    USUBJID,
    IDVAR,
    IDVARVAL,
    QNAM,
    QLABEL,
    QVAL,
    QORIG,
    QEVAL
FROM sdtm_suppdm
