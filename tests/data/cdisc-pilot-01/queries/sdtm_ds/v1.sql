/*---
purpose = "What became of subjects"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["USUBJID", "DSSEQ"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
DOMAIN   = { type = "nvarchar(2) not null", class = "operational" }
USUBJID  = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
DSSEQ    = { type = "int not null", class = "clinical" }
DSSPID   = { type = "int", class = "clinical" }
DSTERM   = { type = "nvarchar(63) not null", class = "clinical" }
DSDECOD  = { type = "nvarchar(27) not null", class = "clinical" }
DSCAT    = { type = "nvarchar(17) not null", class = "clinical" }
VISITNUM = { type = "float not null", class = "operational" }
VISIT    = { type = "nvarchar(17) not null", class = "operational" }
DSDTC    = { type = "nvarchar(16) not null", class = "quasi" }
DSSTDTC  = { type = "nvarchar(10) not null", class = "quasi" }
DSSTDY   = { type = "int", class = "clinical" }
---*/
SELECT
    STUDYID,
    [DOMAIN],
    USUBJID,
    DSSEQ,
    DSSPID,
    DSTERM,
    DSDECOD,
    DSCAT,
    VISITNUM,
    VISIT,
    DSDTC,
    DSSTDTC,
    DSSTDY
FROM sdtm_ds
