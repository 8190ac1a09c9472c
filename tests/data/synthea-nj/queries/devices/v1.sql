/*---
purpose = "Devices that patients have or had"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"

[columns]
START       = { type = "datetimeoffset(0) not null", class = "quasi" }
STOP        = { type = "datetimeoffset(0)", class = "quasi" }
PATIENT     = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
ENCOUNTER   = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
CODE        = { type = "nvarchar(9) not null", class = "clinical" }
DESCRIPTION = { type = "nvarchar(63) not null", class = "clinical" }
UDI         = { type = "nvarchar(84) not null", class = "identifier", privacy = "keep" }
---*/
SELECT
    [START],
    [STOP],
    PATIENT,
    ENCOUNTER,
    CODE,
    DESCRIPTION,
    UDI
FROM devices
