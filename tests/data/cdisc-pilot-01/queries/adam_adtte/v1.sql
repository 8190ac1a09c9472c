/*---
purpose = "Times to events"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID", "PARAMCD"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
SITEID   = { type = "nvarchar(3) not null", class = "quasi" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
AGE      = { type = "float not null", class = "quasi" }
AGEGR1   = { type = "nvarchar(5) not null", class = "quasi" }
AGEGR1N  = { type = "float not null", class = "quasi" }
RACE     = { type = "nvarchar(32) not null", class = "quasi" }
RACEN    = { type = "float not null", class = "quasi" }
SEX      = { type = "nvarchar(1) not null", class = "quasi" }
TRTSDT   = { type = "date not null", class = "quasi" }
TRTEDT   = { type = "date not null", class = "quasi" }
TRTDUR   = { type = "float not null", class = "clinical" }
TRTP     = { type = "nvarchar(20) not null", class = "clinical" }
TRTA     = { type = "nvarchar(20) not null", class = "clinical" }
TRTAN    = { type = "float not null", class = "clinical" }
PARAM    = { type = "nvarchar(32) not null", class = "clinical" }
PARAMCD  = { type = "nvarchar(4) not null", class = "clinical" }
AVAL     = { type = "float not null", class = "clinical" }
STARTDT  = { type = "date not null", class = "quasi" }
ADT      = { type = "date not null", class = "quasi" }
CNSR     = { type = "float not null", class = "clinical" }
EVNTDESC = { type = "nvarchar(25) not null", class = "clinical" }
SRCDOM   = { type = "nvarchar(4) not null", class = "clinical" }
SRCVAR   = { type = "nvarchar(6) not null", class = "clinical" }
SRCSEQ   = { type = "float", class = "clinical" }
SAFFL    = { type = "nvarchar(1) not null", class = "clinical" }
---*/
SELECT
    STUDYID,
    SITEID,
    USUBJID,
    AGE,
    AGEGR1,
    AGEGR1N,
    RACE,
    RACEN,
    SEX,
    TRTSDT,
    TRTEDT,
    TRTDUR,
    TRTP,
    TRTA,
    TRTAN,
    PARAM,
    PARAMCD,
    AVAL,
    STARTDT,
    ADT,
    CNSR,
    EVNTDESC,
    SRCDOM,
    SRCVAR,
    SRCSEQ,
    SAFFL
FROM adam_adtte
