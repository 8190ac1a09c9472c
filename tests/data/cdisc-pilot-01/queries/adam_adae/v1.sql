/*---
purpose = "Adverse events with empty texts beside nulls and columns that are null throughout"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID", "AESEQ"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
SITEID   = { type = "nvarchar(3) not null", class = "quasi" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
TRTA     = { type = "nvarchar(20) not null", class = "clinical" }
TRTAN    = { type = "float not null", class = "clinical" }
AGE      = { type = "float not null", class = "quasi" }
AGEGR1   = { type = "nvarchar(5) not null", class = "quasi" }
AGEGR1N  = { type = "float not null", class = "quasi" }
RACE     = { type = "nvarchar(32) not null", class = "quasi" }
RACEN    = { type = "float not null", class = "quasi" }
SEX      = { type = "nvarchar(1) not null", class = "quasi" }
SAFFL    = { type = "nvarchar(1) not null", class = "clinical" }
TRTSDT   = { type = "date not null", class = "quasi" }
TRTEDT   = { type = "date not null", class = "quasi" }
ASTDT    = { type = "date", class = "quasi" }
ASTDTF   = { type = "nvarchar(1) not null", class = "clinical" }
ASTDY    = { type = "float", class = "clinical" }
AENDT    = { type = "date", class = "quasi" }
AENDY    = { type = "float", class = "clinical" }
ADURN    = { type = "float", class = "clinical" }
ADURU    = { type = "nvarchar(3) not null", class = "clinical" }
AETERM   = { type = "nvarchar(46) not null", class = "clinical" }
AELLT    = { type = "nvarchar(46) not null", class = "clinical" }
AELLTCD  = { type = "float", class = "clinical" }
AEDECOD  = { type = "nvarchar(46) not null", class = "clinical" }
AEPTCD   = { type = "float", class = "clinical" }
AEHLT    = { type = "nvarchar(8) not null", class = "clinical" }
AEHLTCD  = { type = "float", class = "clinical" }
AEHLGT   = { type = "nvarchar(9) not null", class = "clinical" }
AEHLGTCD = { type = "float", class = "clinical" }
AEBODSYS = { type = "nvarchar(67) not null", class = "clinical" }
AESOC    = { type = "nvarchar(67) not null", class = "clinical" }
AESOCCD  = { type = "float", class = "clinical" }
AESEV    = { type = "nvarchar(8) not null", class = "clinical" }
AESER    = { type = "nvarchar(1) not null", class = "clinical" }
AESCAN   = { type = "nvarchar(1) not null", class = "clinical" }
AESCONG  = { type = "nvarchar(1) not null", class = "clinical" }
AESDISAB = { type = "nvarchar(1) not null", class = "clinical" }
AESDTH   = { type = "nvarchar(1) not null", class = "clinical" }
AESHOSP  = { type = "nvarchar(1) not null", class = "clinical" }
AESLIFE  = { type = "nvarchar(1) not null", class = "clinical" }
AESOD    = { type = "nvarchar(1) not null", class = "clinical" }
AEREL    = { type = "nvarchar(8) not null", class = "clinical" }
AEACN    = { type = "nvarchar(1) not null", class = "clinical" }
AEOUT    = { type = "nvarchar(26) not null", class = "clinical" }
AESEQ    = { type = "float not null", class = "clinical" }
TRTEMFL  = { type = "nvarchar(1) not null", class = "clinical" }
AOCCFL   = { type = "nvarchar(1) not null", class = "clinical" }
AOCCSFL  = { type = "nvarchar(1) not null", class = "clinical" }
AOCCPFL  = { type = "nvarchar(1) not null", class = "clinical" }
AOCC02FL = { type = "nvarchar(1) not null", class = "clinical" }
AOCC03FL = { type = "nvarchar(1) not null", class = "clinical" }
AOCC04FL = { type = "nvarchar(1) not null", class = "clinical" }
CQ01NAM  = { type = "nvarchar(19) not null", class = "clinical" }
AOCC01FL = { type = "nvarchar(1) not null", class = "clinical" }
---*/
SELECT
    STUDYID,
    SITEID,
    USUBJID,
    TRTA,
    TRTAN,
    AGE,
    AGEGR1,
    AGEGR1N,
    RACE,
    RACEN,
    SEX,
    SAFFL,
    TRTSDT,
    TRTEDT,
    ASTDT,
    ASTDTF,
    ASTDY,
    AENDT,
    AENDY,
    ADURN,
    ADURU,
    AETERM,
    AELLT,
    AELLTCD,
    AEDECOD,
    AEPTCD,
    AEHLT,
    AEHLTCD,
    AEHLGT,
    AEHLGTCD,
    AEBODSYS,
    AESOC,
    AESOCCD,
    AESEV,
    AESER,
    AESCAN,
    AESCONG,
    AESDISAB,
    AESDTH,
    AESHOSP,
    AESLIFE,
    AESOD,
    AEREL,
    AEACN,
    AEOUT,
    AESEQ,
    TRTEMFL,
    AOCCFL,
    AOCCSFL,
    AOCCPFL,
    AOCC02FL,
    AOCC03FL,
    AOCC04FL,
    CQ01NAM,
    AOCC01FL
FROM adam_adae
