/*---
purpose = "Medicines taken, with partial dates as text"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID", "CMSEQ"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
DOMAIN   = { type = "nvarchar(2) not null", class = "operational" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
CMSEQ    = { type = "int not null", class = "clinical" }
CMSPID   = { type = "int not null", class = "clinical" }
CMTRT    = { type = "nvarchar(44) not null", class = "clinical" }
CMDECOD  = { type = "nvarchar(24) not null", class = "clinical" }
CMINDC   = { type = "nvarchar(34)", class = "clinical" }
CMCLAS   = { type = "nvarchar(42) not null", class = "clinical" }
CMDOSE   = { type = "float", class = "clinical" }
CMDOSU   = { type = "nvarchar(7)", class = "clinical" }
CMDOSFRQ = { type = "nvarchar(13)", class = "clinical" }
CMROUTE  = { type = "nvarchar(24)", class = "clinical" }
VISITNUM = { type = "int not null", class = "operational" }
VISIT    = { type = "nvarchar(17) not null", class = "operational" }
VISITDY  = { type = "int", class = "operational" }
CMDTC    = { type = "nvarchar(10) not null", class = "quasi" }
CMSTDTC  = { type = "nvarchar(10)", class = "quasi" }
CMENDTC  = { type = "nvarchar(10)", class = "quasi" }
CMSTDY   = { type = "int", class = "clinical" }
CMENDY   = { type = "int", class = "clinical" }
---*/
SELECT
    STUDYID,
    [DOMAIN],
    USUBJID,
    CMSEQ,
    CMSPID,
    CMTRT,
    CMDECOD,
    CMINDC,
    CMCLAS,
    CMDOSE,
    CMDOSU,
    CMDOSFRQ,
    CMROUTE,
    VISITNUM,
    VISIT,
    VISITDY,
    CMDTC,
    CMSTDTC,
    CMENDTC,
    CMSTDY,
    CMENDY
FROM sdtm_cm
