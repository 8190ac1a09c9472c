/*---
purpose = "Vital signs with leading blanks in the visit"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

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
SAFFL    = { type = "nvarchar(1) not null", class = "clinical" }
TRTSDT   = { type = "date not null", class = "quasi" }
TRTEDT   = { type = "date not null", class = "quasi" }
TRTP     = { type = "nvarchar(20) not null", class = "clinical" }
TRTPN    = { type = "float not null", class = "clinical" }
TRTA     = { type = "nvarchar(20) not null", class = "clinical" }
TRTAN    = { type = "float not null", class = "clinical" }
PARAMCD  = { type = "nvarchar(6) not null", class = "clinical" }
PARAM    = { type = "nvarchar(31) not null", class = "clinical" }
PARAMN   = { type = "float not null", class = "clinical" }
ADT      = { type = "date not null", class = "quasi" }
ADY      = { type = "float not null", class = "clinical" }
ATPTN    = { type = "float", class = "clinical" }
ATPT     = { type = "nvarchar(30) not null", class = "clinical" }
AVISIT   = { type = "nvarchar(16) not null", class = "clinical" }
AVISITN  = { type = "float", class = "clinical" }
AVAL     = { type = "float", class = "clinical" }
BASE     = { type = "float", class = "clinical" }
CHG      = { type = "float", class = "clinical" }
PCHG     = { type = "float", class = "clinical" }
VISITNUM = { type = "float not null", class = "operational" }
VISIT    = { type = "nvarchar(19) not null", class = "operational" }
VSSEQ    = { type = "float not null", class = "clinical" }
ANL01FL  = { type = "nvarchar(1) not null", class = "clinical" }
ABLFL    = { type = "nvarchar(1) not null", class = "clinical" }
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
    SAFFL,
    TRTSDT,
    TRTEDT,
    TRTP,
    TRTPN,
    TRTA,
    TRTAN,
    PARAMCD,
    PARAM,
    PARAMN,
    ADT,
    ADY,
    ATPTN,
    ATPT,
    AVISIT,
    AVISITN,
    AVAL,
    [BASE],
    CHG,
    PCHG,
    VISITNUM,
    VISIT,
    VSSEQ,
    ANL01FL,
    ABLFL
FROM adam_advs
