/*---
purpose = "Adverse events as collected"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID", "AESEQ"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
DOMAIN   = { type = "nvarchar(2) not null", class = "operational" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
AESEQ    = { type = "int not null", class = "clinical" }
AESPID   = { type = "nvarchar(3) not null", class = "clinical" }
AETERM   = { type = "nvarchar(46) not null", class = "clinical" }
AELLT    = { type = "nvarchar(46) not null", class = "clinical" }
AELLTCD  = { type = "bit", class = "clinical" }
AEDECOD  = { type = "nvarchar(46) not null", class = "clinical" }
AEPTCD   = { type = "bit", class = "clinical" }
AEHLT    = { type = "nvarchar(8) not null", class = "clinical" }
AEHLTCD  = { type = "bit", class = "clinical" }
AEHLGT   = { type = "nvarchar(9) not null", class = "clinical" }
AEHLGTCD = { type = "bit", class = "clinical" }
AEBODSYS = { type = "nvarchar(67) not null", class = "clinical" }
AEBDSYCD = { type = "bit", class = "clinical" }
AESOC    = { type = "nvarchar(67) not null", class = "clinical" }
AESOCCD  = { type = "bit", class = "clinical" }
AESEV    = { type = "nvarchar(8) not null", class = "clinical" }
AESER    = { type = "nvarchar(1) not null", class = "clinical" }
AEACN    = { type = "bit", class = "clinical" }
AEREL    = { type = "nvarchar(8)", class = "clinical" }
AEOUT    = { type = "nvarchar(26) not null", class = "clinical" }
AESCAN   = { type = "nvarchar(1) not null", class = "clinical" }
AESCONG  = { type = "nvarchar(1) not null", class = "clinical" }
AESDISAB = { type = "nvarchar(1) not null", class = "clinical" }
AESDTH   = { type = "nvarchar(1) not null", class = "clinical" }
AESHOSP  = { type = "nvarchar(1) not null", class = "clinical" }
AESLIFE  = { type = "nvarchar(1) not null", class = "clinical" }
AESOD    = { type = "nvarchar(1) not null", class = "clinical" }
AEDTC    = { type = "nvarchar(10) not null", class = "quasi" }
AESTDTC  = { type = "nvarchar(10) not null", class = "quasi" }
AEENDTC  = { type = "nvarchar(10)", class = "quasi" }
AESTDY   = { type = "int", class = "clinical" }
AEENDY   = { type = "int", class = "clinical" }
---*/
SELECT
    STUDYID,
    [DOMAIN],
    USUBJID,
    AESEQ,
    AESPID,
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
    AEBDSYCD,
    AESOC,
    AESOCCD,
    AESEV,
    AESER,
    AEACN,
    AEREL,
    AEOUT,
    AESCAN,
    AESCONG,
    AESDISAB,
    AESDTH,
    AESHOSP,
    AESLIFE,
    AESOD,
    AEDTC,
    AESTDTC,
    AEENDTC,
    AESTDY,
    AEENDY
FROM sdtm_ae
