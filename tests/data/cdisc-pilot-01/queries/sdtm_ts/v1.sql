/*---
purpose = "What the trial is, with apostrophes that are not ASCII"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["TSPARMCD", "TSSEQ"]

[columns]
STUDYID  = { type = "nvarchar(12) not null", class = "operational" }
DOMAIN   = { type = "nvarchar(2) not null", class = "operational" }
TSSEQ    = { type = "int not null", class = "clinical" }
TSPARMCD = { type = "nvarchar(7) not null", class = "clinical" }
TSPARM   = { type = "nvarchar(36) not null", class = "clinical" }
TSVAL    = { type = "nvarchar(179) not null", class = "clinical" }
---*/
SELECT
    STUDYID,
    [DOMAIN],
    TSSEQ,
    TSPARMCD,
    TSPARM,
    TSVAL
FROM sdtm_ts
