/*---
purpose = "Demographics with a column that is null throughout"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
DOMAIN   = { type = "nvarchar(2) not null", class = "operational" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
SUBJID   = { type = "int not null", class = "identifier", privacy = "keep" }
RFSTDTC  = { type = "nvarchar(10)", class = "quasi" }
RFENDTC  = { type = "nvarchar(10)", class = "quasi" }
RFXSTDTC = { type = "nvarchar(10)", class = "quasi" }
RFXENDTC = { type = "nvarchar(10)", class = "quasi" }
RFICDTC  = { type = "bit", class = "quasi" }
RFPENDTC = { type = "nvarchar(16) not null", class = "quasi" }
DTHDTC   = { type = "nvarchar(10)", class = "quasi" }
DTHFL    = { type = "nvarchar(1)", class = "clinical" }
SITEID   = { type = "int not null", class = "quasi" }
AGE      = { type = "int not null", class = "quasi" }
AGEU     = { type = "nvarchar(5) not null", class = "clinical" }
SEX      = { type = "nvarchar(1) not null", class = "quasi" }
RACE     = { type = "nvarchar(32) not null", class = "quasi" }
ETHNIC   = { type = "nvarchar(22) not null", class = "quasi" }
ARMCD    = { type = "nvarchar(8) not null", class = "clinical" }
ARM      = { type = "nvarchar(20) not null", class = "clinical" }
ACTARMCD = { type = "nvarchar(8) not null", class = "clinical" }
ACTARM   = { type = "nvarchar(20) not null", class = "clinical" }
COUNTRY  = { type = "nvarchar(3) not null", class = "quasi" }
DMDTC    = { type = "nvarchar(10) not null", class = "quasi" }
DMDY     = { type = "int", class = "clinical" }
---*/
SELECT
    STUDYID,
    [DOMAIN],
    USUBJID,
    SUBJID,
    RFSTDTC,
    RFENDTC,
    RFXSTDTC,
    RFXENDTC,
    RFICDTC,
    RFPENDTC,
    DTHDTC,
    DTHFL,
    SITEID,
    AGE,
    AGEU,
    SEX,
    RACE,
    ETHNIC,
    ARMCD,
    ARM,
    ACTARMCD,
    ACTARM,
    COUNTRY,
    DMDTC,
    DMDY
FROM sdtm_dm
