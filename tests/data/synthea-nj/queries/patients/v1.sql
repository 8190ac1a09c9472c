/*---
purpose = "People with everything that names them"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["Id"]
opt_out = "nobody can: every person is fictional"

[columns]
Id                  = { type = "uniqueidentifier not null", class = "identifier", privacy = "keep" }
BIRTHDATE           = { type = "date not null", class = "quasi", privacy = "keep" }
DEATHDATE           = { type = "date", class = "quasi" }
SSN                 = { type = "nvarchar(11) not null", class = "identifier", privacy = "keep" }
DRIVERS             = { type = "nvarchar(9)", class = "identifier", privacy = "keep" }
PASSPORT            = { type = "nvarchar(10)", class = "identifier", privacy = "keep" }
PREFIX              = { type = "nvarchar(4)", class = "identifier", privacy = "keep" }
FIRST               = { type = "nvarchar(14) not null", class = "identifier", privacy = "keep" }
MIDDLE              = { type = "nvarchar(13)", class = "identifier", privacy = "keep" }
LAST                = { type = "nvarchar(14) not null", class = "identifier", privacy = "keep" }
SUFFIX              = { type = "nvarchar(2)", class = "identifier", privacy = "keep" }
MAIDEN              = { type = "nvarchar(14)", class = "identifier", privacy = "keep" }
MARITAL             = { type = "nvarchar(1)", class = "quasi" }
RACE                = { type = "nvarchar(8) not null", class = "quasi" }
ETHNICITY           = { type = "nvarchar(11) not null", class = "quasi" }
GENDER              = { type = "nvarchar(1) not null", class = "quasi" }
BIRTHPLACE          = { type = "nvarchar(37) not null", class = "quasi" }
ADDRESS             = { type = "nvarchar(33) not null", class = "identifier", privacy = "keep" }
CITY                = { type = "nvarchar(16) not null", class = "quasi" }
STATE               = { type = "nvarchar(10) not null", class = "quasi" }
COUNTY              = { type = "nvarchar(17) not null", class = "quasi" }
FIPS                = { type = "nvarchar(5)", class = "quasi" }
ZIP                 = { type = "nvarchar(5) not null", class = "quasi" }
LAT                 = { type = "float not null", class = "identifier", privacy = "keep" }
LON                 = { type = "float not null", class = "identifier", privacy = "keep" }
HEALTHCARE_EXPENSES = { type = "decimal(18,2) not null", class = "clinical" }
HEALTHCARE_COVERAGE = { type = "decimal(18,2) not null", class = "clinical" }
INCOME              = { type = "int not null", class = "quasi" }
---*/
SELECT
    Id,
    BIRTHDATE,
    DEATHDATE,
    SSN,
    DRIVERS,
    PASSPORT,
    PREFIX,
    [FIRST],
    MIDDLE,
    [LAST],
    SUFFIX,
    MAIDEN,
    MARITAL,
    RACE,
    ETHNICITY,
    GENDER,
    BIRTHPLACE,
    ADDRESS,
    CITY,
    [STATE],
    COUNTY,
    FIPS,
    ZIP,
    LAT,
    LON,
    HEALTHCARE_EXPENSES,
    HEALTHCARE_COVERAGE,
    INCOME
FROM patients
