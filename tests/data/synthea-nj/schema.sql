-- SQL Server types of the tables of synthea-nj: text as long as its longest value, keys that are GUIDs
-- throughout as uniqueidentifier, times in UTC as datetimeoffset.

CREATE TABLE allergies (
    [START]        date NOT NULL,
    [STOP]         nvarchar(1) NULL,
    PATIENT        uniqueidentifier NOT NULL,
    ENCOUNTER      uniqueidentifier NOT NULL,
    CODE           nvarchar(15) NOT NULL,
    [SYSTEM]       nvarchar(7) NOT NULL,
    DESCRIPTION    nvarchar(30) NOT NULL,
    [TYPE]         nvarchar(11) NOT NULL,
    CATEGORY       nvarchar(11) NOT NULL,
    REACTION1      nvarchar(9) NULL,
    DESCRIPTION1   nvarchar(30) NULL,
    SEVERITY1      nvarchar(8) NULL,
    REACTION2      nvarchar(9) NULL,
    DESCRIPTION2   nvarchar(30) NULL,
    SEVERITY2      nvarchar(8) NULL
);

CREATE TABLE careplans (
    Id                  uniqueidentifier NOT NULL,
    [START]             date NOT NULL,
    [STOP]              date NULL,
    PATIENT             uniqueidentifier NOT NULL,
    ENCOUNTER           uniqueidentifier NOT NULL,
    CODE                nvarchar(9) NOT NULL,
    DESCRIPTION         nvarchar(62) NOT NULL,
    REASONCODE          nvarchar(9) NULL,
    REASONDESCRIPTION   nvarchar(59) NULL
);

CREATE TABLE conditions (
    [START]       date NOT NULL,
    [STOP]        date NULL,
    PATIENT       uniqueidentifier NOT NULL,
    ENCOUNTER     uniqueidentifier NOT NULL,
    [SYSTEM]      nvarchar(9) NOT NULL,
    CODE          nvarchar(17) NOT NULL,
    DESCRIPTION   nvarchar(80) NOT NULL
);

CREATE TABLE devices (
    [START]       datetimeoffset(0) NOT NULL,
    [STOP]        datetimeoffset(0) NULL,
    PATIENT       uniqueidentifier NOT NULL,
    ENCOUNTER     uniqueidentifier NOT NULL,
    CODE          nvarchar(9) NOT NULL,
    DESCRIPTION   nvarchar(63) NOT NULL,
    UDI           nvarchar(84) NOT NULL
);

CREATE TABLE encounters (
    Id                    uniqueidentifier NOT NULL,
    [START]               datetimeoffset(0) NOT NULL,
    [STOP]                datetimeoffset(0) NOT NULL,
    PATIENT               uniqueidentifier NOT NULL,
    ORGANIZATION          uniqueidentifier NOT NULL,
    PROVIDER              uniqueidentifier NOT NULL,
    PAYER                 uniqueidentifier NOT NULL,
    ENCOUNTERCLASS        nvarchar(10) NOT NULL,
    CODE                  nvarchar(15) NOT NULL,
    DESCRIPTION           nvarchar(70) NOT NULL,
    BASE_ENCOUNTER_COST   decimal(18,2) NOT NULL,
    TOTAL_CLAIM_COST      decimal(18,2) NOT NULL,
    PAYER_COVERAGE        decimal(18,2) NOT NULL,
    REASONCODE            nvarchar(15) NULL,
    REASONDESCRIPTION     nvarchar(70) NULL
);

CREATE TABLE imaging_studies (
    Id                     uniqueidentifier NOT NULL,
    [DATE]                 datetimeoffset(0) NOT NULL,
    PATIENT                uniqueidentifier NOT NULL,
    ENCOUNTER              uniqueidentifier NOT NULL,
    SERIES_UID             nvarchar(41) NOT NULL,
    BODYSITE_CODE          nvarchar(8) NOT NULL,
    BODYSITE_DESCRIPTION   nvarchar(72) NOT NULL,
    MODALITY_CODE          nvarchar(2) NOT NULL,
    MODALITY_DESCRIPTION   nvarchar(20) NOT NULL,
    INSTANCE_UID           nvarchar(43) NOT NULL,
    SOP_CODE               nvarchar(27) NOT NULL,
    SOP_DESCRIPTION        nvarchar(46) NOT NULL,
    PROCEDURE_CODE         nvarchar(9) NOT NULL
);

CREATE TABLE immunizations (
    [DATE]        datetimeoffset(0) NOT NULL,
    PATIENT       uniqueidentifier NOT NULL,
    ENCOUNTER     uniqueidentifier NOT NULL,
    CODE          nvarchar(3) NOT NULL,
    DESCRIPTION   nvarchar(67) NOT NULL,
    BASE_COST     decimal(18,2) NOT NULL
);

CREATE TABLE medications (
    [START]             datetimeoffset(0) NOT NULL,
    [STOP]              datetimeoffset(0) NULL,
    PATIENT             uniqueidentifier NOT NULL,
    PAYER               uniqueidentifier NOT NULL,
    ENCOUNTER           uniqueidentifier NOT NULL,
    CODE                nvarchar(7) NOT NULL,
    DESCRIPTION         nvarchar(113) NOT NULL,
    BASE_COST           decimal(18,2) NOT NULL,
    PAYER_COVERAGE      decimal(18,2) NOT NULL,
    DISPENSES           int NOT NULL,
    TOTALCOST           decimal(18,2) NOT NULL,
    REASONCODE          nvarchar(15) NULL,
    REASONDESCRIPTION   nvarchar(46) NULL
);

CREATE TABLE organizations (
    Id            uniqueidentifier NOT NULL,
    NAME          nvarchar(63) NOT NULL,
    ADDRESS       nvarchar(48) NOT NULL,
    CITY          nvarchar(18) NOT NULL,
    [STATE]       nvarchar(2) NOT NULL,
    ZIP           nvarchar(9) NOT NULL,
    LAT           float NOT NULL,
    LON           float NOT NULL,
    PHONE         nvarchar(28) NOT NULL,
    REVENUE       float NOT NULL,
    UTILIZATION   int NOT NULL
);

CREATE TABLE patients (
    Id                    uniqueidentifier NOT NULL,
    BIRTHDATE             date NOT NULL,
    DEATHDATE             date NULL,
    SSN                   nvarchar(11) NOT NULL,
    DRIVERS               nvarchar(9) NULL,
    PASSPORT              nvarchar(10) NULL,
    PREFIX                nvarchar(4) NULL,
    [FIRST]               nvarchar(14) NOT NULL,
    MIDDLE                nvarchar(13) NULL,
    [LAST]                nvarchar(14) NOT NULL,
    SUFFIX                nvarchar(2) NULL,
    MAIDEN                nvarchar(14) NULL,
    MARITAL               nvarchar(1) NULL,
    RACE                  nvarchar(8) NOT NULL,
    ETHNICITY             nvarchar(11) NOT NULL,
    GENDER                nvarchar(1) NOT NULL,
    BIRTHPLACE            nvarchar(37) NOT NULL,
    ADDRESS               nvarchar(33) NOT NULL,
    CITY                  nvarchar(16) NOT NULL,
    [STATE]               nvarchar(10) NOT NULL,
    COUNTY                nvarchar(17) NOT NULL,
    FIPS                  nvarchar(5) NULL,
    ZIP                   nvarchar(5) NOT NULL,
    LAT                   float NOT NULL,
    LON                   float NOT NULL,
    HEALTHCARE_EXPENSES   decimal(18,2) NOT NULL,
    HEALTHCARE_COVERAGE   decimal(18,2) NOT NULL,
    INCOME                int NOT NULL
);

CREATE TABLE payer_transitions (
    PATIENT           uniqueidentifier NOT NULL,
    MEMBERID          uniqueidentifier NULL,
    START_DATE        datetimeoffset(0) NOT NULL,
    END_DATE          datetimeoffset(0) NOT NULL,
    PAYER             uniqueidentifier NOT NULL,
    SECONDARY_PAYER   uniqueidentifier NULL,
    PLAN_OWNERSHIP    nvarchar(8) NULL,
    OWNER_NAME        nvarchar(37) NULL
);

CREATE TABLE payers (
    Id                        uniqueidentifier NOT NULL,
    NAME                      nvarchar(22) NOT NULL,
    OWNERSHIP                 nvarchar(12) NOT NULL,
    ADDRESS                   nvarchar(1) NULL,
    CITY                      nvarchar(1) NULL,
    STATE_HEADQUARTERED       nvarchar(1) NULL,
    ZIP                       nvarchar(1) NULL,
    PHONE                     nvarchar(1) NULL,
    AMOUNT_COVERED            decimal(18,2) NOT NULL,
    AMOUNT_UNCOVERED          decimal(18,2) NOT NULL,
    REVENUE                   decimal(18,2) NOT NULL,
    COVERED_ENCOUNTERS        int NOT NULL,
    UNCOVERED_ENCOUNTERS      int NOT NULL,
    COVERED_MEDICATIONS       int NOT NULL,
    UNCOVERED_MEDICATIONS     int NOT NULL,
    COVERED_PROCEDURES        int NOT NULL,
    UNCOVERED_PROCEDURES      int NOT NULL,
    COVERED_IMMUNIZATIONS     int NOT NULL,
    UNCOVERED_IMMUNIZATIONS   int NOT NULL,
    UNIQUE_CUSTOMERS          int NOT NULL,
    QOLS_AVG                  float NOT NULL,
    MEMBER_MONTHS             int NOT NULL
);

CREATE TABLE providers (
    Id             uniqueidentifier NOT NULL,
    ORGANIZATION   uniqueidentifier NOT NULL,
    NAME           nvarchar(27) NOT NULL,
    GENDER         nvarchar(1) NOT NULL,
    SPECIALITY     nvarchar(16) NOT NULL,
    ADDRESS        nvarchar(48) NOT NULL,
    CITY           nvarchar(18) NOT NULL,
    [STATE]        nvarchar(2) NOT NULL,
    ZIP            nvarchar(9) NOT NULL,
    LAT            float NOT NULL,
    LON            float NOT NULL,
    ENCOUNTERS     int NOT NULL,
    PROCEDURES     int NOT NULL
);

CREATE TABLE supplies (
    [DATE]        date NOT NULL,
    PATIENT       uniqueidentifier NOT NULL,
    ENCOUNTER     uniqueidentifier NOT NULL,
    CODE          nvarchar(10) NOT NULL,
    DESCRIPTION   nvarchar(91) NOT NULL,
    QUANTITY      int NOT NULL
);
