/*---
purpose = "Images taken, one row for each instance"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["Id"]

[columns]
Id                   = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
DATE                 = { type = "datetimeoffset(0) not null", class = "quasi", offset = true }
PATIENT              = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
ENCOUNTER            = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
SERIES_UID           = { type = "nvarchar(41) not null", class = "identifier", privacy = "keep" }
BODYSITE_CODE        = { type = "nvarchar(8) not null", class = "clinical" }
BODYSITE_DESCRIPTION = { type = "nvarchar(72) not null", class = "clinical" }
MODALITY_CODE        = { type = "nvarchar(2) not null", class = "clinical" }
MODALITY_DESCRIPTION = { type = "nvarchar(20) not null", class = "clinical" }
INSTANCE_UID         = { type = "nvarchar(43) not null", class = "identifier", privacy = "keep" }
SOP_CODE             = { type = "nvarchar(27) not null", class = "clinical" }
SOP_DESCRIPTION      = { type = "nvarchar(46) not null", class = "clinical" }
PROCEDURE_CODE       = { type = "nvarchar(9) not null", class = "clinical" }
---*/
SELECT
    Id,
    [DATE],
    PATIENT,
    ENCOUNTER,
    SERIES_UID,
    BODYSITE_CODE,
    BODYSITE_DESCRIPTION,
    MODALITY_CODE,
    MODALITY_DESCRIPTION,
    INSTANCE_UID,
    SOP_CODE,
    SOP_DESCRIPTION,
    PROCEDURE_CODE
FROM imaging_studies
