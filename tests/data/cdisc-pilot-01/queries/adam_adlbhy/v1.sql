/*---
purpose = "Liver tests with Hy's law criteria, many of them missing"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
SUBJID   = { type = "nvarchar(4) not null", class = "identifier", privacy = "keep" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
TRTP     = { type = "nvarchar(20) not null", class = "clinical" }
TRTPN    = { type = "float not null", class = "clinical" }
TRTA     = { type = "nvarchar(20) not null", class = "clinical" }
TRTAN    = { type = "float not null", class = "clinical" }
TRTSDT   = { type = "date not null", class = "quasi" }
TRTEDT   = { type = "date not null", class = "quasi" }
AGE      = { type = "float not null", class = "quasi" }
AGEGR1   = { type = "nvarchar(5) not null", class = "quasi" }
AGEGR1N  = { type = "float not null", class = "quasi" }
RACE     = { type = "nvarchar(32) not null", class = "quasi" }
RACEN    = { type = "float not null", class = "quasi" }
SEX      = { type = "nvarchar(1) not null", class = "quasi" }
COMP24FL = { type = "nvarchar(1) not null", class = "clinical" }
DSRAEFL  = { type = "nvarchar(1) not null", class = "clinical" }
SAFFL    = { type = "nvarchar(1) not null", class = "clinical" }
AVISIT   = { type = "nvarchar(16) not null", class = "clinical" }
AVISITN  = { type = "float not null", class = "clinical" }
ADY      = { type = "float", class = "clinical" }
ADT      = { type = "date", class = "quasi" }
VISIT    = { type = "nvarchar(11) not null", class = "operational" }
VISITNUM = { type = "float", class = "operational" }
PARAMTYP = { type = "nvarchar(7) not null", class = "clinical" }
PARAM    = { type = "nvarchar(47) not null", class = "clinical" }
PARAMCD  = { type = "nvarchar(7) not null", class = "clinical" }
PARAMN   = { type = "float not null", class = "clinical" }
PARCAT1  = { type = "nvarchar(5) not null", class = "clinical" }
AVAL     = { type = "float", class = "clinical" }
BASE     = { type = "float", class = "clinical" }
A1LO     = { type = "float", class = "clinical" }
A1HI     = { type = "float", class = "clinical" }
R2A1LO   = { type = "float", class = "clinical" }
R2A1HI   = { type = "float", class = "clinical" }
BR2A1LO  = { type = "float", class = "clinical" }
BR2A1HI  = { type = "float", class = "clinical" }
ABLFL    = { type = "nvarchar(1) not null", class = "clinical" }
SHIFT1   = { type = "nvarchar(16) not null", class = "clinical" }
SHIFT1N  = { type = "float", class = "clinical" }
CRIT1    = { type = "nvarchar(12) not null", class = "clinical" }
CRIT1FL  = { type = "nvarchar(1) not null", class = "clinical" }
CRIT1FN  = { type = "float", class = "clinical" }
---*/
SELECT
    STUDYID,
    SUBJID,
    USUBJID,
    TRTP,
    TRTPN,
    TRTA,
    TRTAN,
    TRTSDT,
    TRTEDT,
    AGE,
    AGEGR1,
    AGEGR1N,
    RACE,
    RACEN,
    SEX,
    COMP24FL,
    DSRAEFL,
    SAFFL,
    AVISIT,
    AVISITN,
    ADY,
    ADT,
    VISIT,
    VISITNUM,
    PARAMTYP,
    PARAM,
    PARAMCD,
    PARAMN,
    PARCAT1,
    AVAL,
    [BASE],
    A1LO,
    A1HI,
    R2A1LO,
    R2A1HI,
    BR2A1LO,
    BR2A1HI,
    ABLFL,
    SHIFT1,
    SHIFT1N,
    CRIT1,
    CRIT1FL,
    CRIT1FN
FROM adam_adlbhy
