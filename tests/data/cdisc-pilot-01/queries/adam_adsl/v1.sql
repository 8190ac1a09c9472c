/*---
purpose = "One row for each subject with flags, dates and sizes"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
SUBJID   = { type = "nvarchar(4) not null", class = "identifier", privacy = "keep" }
SITEID   = { type = "nvarchar(3) not null", class = "quasi" }
SITEGR1  = { type = "nvarchar(3) not null", class = "quasi" }
ARM      = { type = "nvarchar(20) not null", class = "clinical" }
TRT01P   = { type = "nvarchar(20) not null", class = "clinical" }
TRT01PN  = { type = "float not null", class = "clinical" }
TRT01A   = { type = "nvarchar(20) not null", class = "clinical" }
TRT01AN  = { type = "float not null", class = "clinical" }
TRTSDT   = { type = "date not null", class = "quasi" }
TRTEDT   = { type = "date not null", class = "quasi" }
TRTDUR   = { type = "float not null", class = "clinical" }
AVGDD    = { type = "float not null", class = "clinical" }
CUMDOSE  = { type = "float not null", class = "clinical" }
AGE      = { type = "float not null", class = "quasi" }
AGEGR1   = { type = "nvarchar(5) not null", class = "quasi" }
AGEGR1N  = { type = "float not null", class = "quasi" }
AGEU     = { type = "nvarchar(5) not null", class = "clinical" }
RACE     = { type = "nvarchar(32) not null", class = "quasi" }
RACEN    = { type = "float not null", class = "quasi" }
SEX      = { type = "nvarchar(1) not null", class = "quasi" }
ETHNIC   = { type = "nvarchar(22) not null", class = "quasi" }
SAFFL    = { type = "nvarchar(1) not null", class = "clinical" }
ITTFL    = { type = "nvarchar(1) not null", class = "clinical" }
EFFFL    = { type = "nvarchar(1) not null", class = "clinical" }
COMP8FL  = { type = "nvarchar(1) not null", class = "clinical" }
COMP16FL = { type = "nvarchar(1) not null", class = "clinical" }
COMP24FL = { type = "nvarchar(1) not null", class = "clinical" }
DISCONFL = { type = "nvarchar(1) not null", class = "clinical" }
DSRAEFL  = { type = "nvarchar(1) not null", class = "clinical" }
DTHFL    = { type = "nvarchar(1) not null", class = "clinical" }
BMIBL    = { type = "float", class = "clinical" }
BMIBLGR1 = { type = "nvarchar(6) not null", class = "clinical" }
HEIGHTBL = { type = "float not null", class = "clinical" }
WEIGHTBL = { type = "float", class = "clinical" }
EDUCLVL  = { type = "float not null", class = "quasi" }
DISONSDT = { type = "date not null", class = "quasi" }
DURDIS   = { type = "float not null", class = "clinical" }
DURDSGR1 = { type = "nvarchar(4) not null", class = "clinical" }
VISIT1DT = { type = "date not null", class = "quasi" }
RFSTDTC  = { type = "nvarchar(10) not null", class = "quasi" }
RFENDTC  = { type = "nvarchar(10) not null", class = "quasi" }
VISNUMEN = { type = "float not null", class = "clinical" }
RFENDT   = { type = "date not null", class = "quasi" }
DCDECOD  = { type = "nvarchar(27) not null", class = "clinical" }
DCREASCD = { type = "nvarchar(18) not null", class = "clinical" }
MMSETOT  = { type = "float not null", class = "clinical" }
---*/
SELECT
    STUDYID,
    USUBJID,
    SUBJID,
    SITEID,
    SITEGR1,
    ARM,
    TRT01P,
    TRT01PN,
    TRT01A,
    TRT01AN,
    TRTSDT,
    TRTEDT,
    TRTDUR,
    AVGDD,
    CUMDOSE,
    AGE,
    AGEGR1,
    AGEGR1N,
    AGEU,
    RACE,
    RACEN,
    SEX,
    ETHNIC,
    SAFFL,
    ITTFL,
    EFFFL,
    COMP8FL,
    COMP16FL,
    COMP24FL,
    DISCONFL,
    DSRAEFL,
    DTHFL,
    BMIBL,
    BMIBLGR1,
    HEIGHTBL,
    WEIGHTBL,
    EDUCLVL,
    DISONSDT,
    DURDIS,
    DURDSGR1,
    VISIT1DT,
    RFSTDTC,
    RFENDTC,
    VISNUMEN,
    RFENDT,
    DCDECOD,
    DCREASCD,
    MMSETOT
FROM adam_adsl
