/*---
purpose = "Who paid for whom from when to when"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

[columns]
PATIENT         = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
MEMBERID        = { type = "uniqueidentifier", class = "identifier", privacy = "keep" }
START_DATE      = { type = "datetimeoffset(0) not null", class = "quasi" }
END_DATE        = { type = "datetimeoffset(0) not null", class = "quasi" }
PAYER           = { type = "uniqueidentifier not null", class = "operational" }
SECONDARY_PAYER = { type = "uniqueidentifier", class = "operational" }
PLAN_OWNERSHIP  = { type = "nvarchar(8)", class = "quasi" }
OWNER_NAME      = { type = "nvarchar(37)", class = "identifier", privacy = "keep" }
---*/
SELECT
    PATIENT,
    MEMBERID,
    START_DATE,
    END_DATE,
    PAYER,
    SECONDARY_PAYER,
    PLAN_OWNERSHIP,
    OWNER_NAME
FROM payer_transitions
