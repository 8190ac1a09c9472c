/*---
purpose = "People by what may leave: every privacy rule on real names, numbers and dates"
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["patient"]
opt_out = "nobody can: every person is fictional"

[columns]
patient     = { type = "uniqueidentifier not null", class = "identifier", privacy = "pseudonym", of = "patient" }
ssn         = { type = "nvarchar(11) not null", class = "identifier", privacy = "drop" }
passport    = { type = "nvarchar(10)", class = "identifier", privacy = "pseudonym", of = "passport" }
first_name  = { type = "nvarchar(14) not null", class = "identifier", privacy = "drop" }
last_name   = { type = "nvarchar(14) not null", class = "identifier", privacy = "pseudonym", of = "family" }
birth_year  = { type = "date not null", class = "quasi", privacy = "year" }
birth_month = { type = "date not null", class = "quasi", privacy = "month" }
age         = { type = "date not null", class = "quasi", privacy = "age" }
died        = { type = "date", class = "quasi", privacy = "month" }
race        = { type = "nvarchar(8) not null", class = "quasi" }
postcode    = { type = "nvarchar(5) not null", class = "quasi", privacy = "postcode3" }
latitude    = { type = "float not null", class = "identifier", privacy = "drop" }
income      = { type = "int not null", class = "quasi", privacy = "keep" }
---*/
SELECT
    p.Id AS patient,
    p.SSN AS ssn,
    p.PASSPORT AS passport,
    p.[FIRST] AS first_name,
    p.[LAST] AS last_name,
    p.BIRTHDATE AS birth_year,
    p.BIRTHDATE AS birth_month,
    p.BIRTHDATE AS age,
    p.DEATHDATE AS died,
    p.RACE AS race,
    p.ZIP AS postcode,
    p.LAT AS latitude,
    p.INCOME AS income
FROM patients p
