/*---
purpose = "Laboratory results as text beside numbers, some written <0.2"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID", "LBSEQ"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
DOMAIN   = { type = "nvarchar(2) not null", class = "operational" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
LBSEQ    = { type = "int not null", class = "clinical" }
LBTESTCD = { type = "nvarchar(7) not null", class = "clinical" }
LBTEST   = { type = "nvarchar(39) not null", class = "clinical" }
LBCAT    = { type = "nvarchar(10)", class = "clinical" }
LBORRES  = { type = "nvarchar(5) not null", class = "clinical" }
LBORRESU = { type = "nvarchar(8) not null", class = "clinical" }
LBORNRLO = { type = "float", class = "clinical" }
LBORNRHI = { type = "float", class = "clinical" }
LBSTRESC = { type = "nvarchar(8) not null", class = "clinical" }
LBSTRESN = { type = "float", class = "clinical" }
LBSTRESU = { type = "nvarchar(8)", class = "clinical" }
LBSTNRLO = { type = "float", class = "clinical" }
LBSTNRHI = { type = "float", class = "clinical" }
LBNRIND  = { type = "nvarchar(8)", class = "clinical" }
LBBLFL   = { type = "nvarchar(1)", class = "clinical" }
VISITNUM = { type = "float not null", class = "operational" }
VISIT    = { type = "nvarchar(19) not null", class = "operational" }
VISITDY  = { type = "int", class = "operational" }
LBDTC    = { type = "nvarchar(16) not null", class = "quasi" }
LBDY     = { type = "int not null", class = "clinical" }
---*/
SELECT
    STUDYID,
    [DOMAIN],
    USUBJID,
    LBSEQ,
    LBTESTCD,
    LBTEST,
    LBCAT,
    LBORRES,
    LBORRESU,
    LBORNRLO,
    LBORNRHI,
    LBSTRESC,
    LBSTRESN,
    LBSTRESU,
    LBSTNRLO,
    LBSTNRHI,
    LBNRIND,
    LBBLFL,
    VISITNUM,
    VISIT,
    VISITDY,
    LBDTC,
    LBDY
FROM sdtm_lb
