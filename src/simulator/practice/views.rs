//! Views `BPS_…`: they decode codes, leave out deleted rows and hide when a row was written.

/// Names and T-SQL queries, in the order of creation.
pub(super) const ALL: &[(&str, &str)] = &[
    (
        "BPS_Patients",
        "SELECT p.INTERNALID AS InternalID, s.STATUSTEXT AS StatusText, p.FIRSTNAME AS Firstname, \
         p.SURNAME AS Surname, p.DOB AS DOB, x.SEX AS Sex, e.ETHNICTYPE AS Ethnicity, \
         p.POSTCODE AS Postcode \
         FROM PATIENTS p \
         LEFT JOIN PATIENTSTATUS s ON s.STATUSCODE = p.PATIENTSTATUS \
         LEFT JOIN SEX x ON x.SEXCODE = p.SEXCODE \
         LEFT JOIN ETHNICITY e ON e.ETHNICCODE = p.ETHNICCODE \
         WHERE p.RECORDSTATUS = 1",
    ),
    (
        "BPS_Visits",
        "SELECT v.INTERNALID AS InternalID, v.DRNAME AS DrName, t.VISITTYPE AS VisitType, \
         v.VISITDATE AS VisitDate, v.VISITNOTES AS VisitNotes \
         FROM VISITS v LEFT JOIN VISITTYPE t ON t.VISITCODE = v.VISITCODE \
         WHERE v.RECORDSTATUS = 1",
    ),
    (
        "BPS_History",
        "SELECT h.RECORDID AS RecordID, h.INTERNALID AS InternalID, h.YEAR AS Year, \
         h.MONTH AS Month, h.DAY AS Day, h.ITEMTEXT AS Condition, h.ITEMCODE AS ConditionID, \
         h.CREATED AS Created \
         FROM PASTHISTORY h WHERE h.RECORDSTATUS = 1",
    ),
    (
        "BPS_Observations",
        "SELECT o.RECORDID AS RecordID, o.INTERNALID AS InternalID, o.OBSDATE AS ObservationDate, \
         o.OBSTIME AS ObservationTime, o.DATACODE AS ObservationCode, o.DATANAME AS ObservationName, \
         o.DATAVALUE AS ObservationValue, o.CREATED AS Created \
         FROM OBSERVATIONS o WHERE o.RECORDSTATUS = 1",
    ),
    (
        "BPS_Immunisations",
        "SELECT i.RECORDID AS RecordID, i.INTERNALID AS InternalID, i.GIVENDATE AS GivenDate, \
         i.VACCINENAME AS VaccineName, i.VACCINEID AS VaccineID, i.BATCHNUMBER AS BatchNo, \
         i.SEQUENCE AS Sequence, i.CREATED AS Created \
         FROM IMMUNISATIONS i WHERE i.RECORDSTATUS = 1",
    ),
    (
        "BPS_ReportValues",
        "SELECT r.REPORTID AS ReportID, r.INTERNALID AS InternalID, r.REPORTDATE AS ReportDate, \
         r.RESULTNAME AS ResultName, r.LOINCCODE AS LoincCode, r.BPCODE AS BPCode, \
         r.RESULTVALUE AS ResultValue, r.UNITS AS Units \
         FROM REPORTVALUES r WHERE r.RECORDSTATUS = 1",
    ),
    (
        "BPS_CurrentRx",
        "SELECT r.RECORDID AS RecordID, r.INTERNALID AS InternalID, r.PRODUCTID AS ProductID, \
         r.DRUGNAME AS DrugName, r.RXSTATUS AS RxStatus, r.DOSE AS Dose, \
         r.INSTRUCTIONS AS Instructions, r.QUANTITY AS Quantity, r.REPEATS AS Repeats, \
         r.FIRSTDATE AS FirstDate, r.LASTDATE AS LastDate, r.INDICATIONCODE AS IndicationCode \
         FROM CURRENTRX r WHERE r.RECORDSTATUS = 1 AND r.DELETIONDATE IS NULL",
    ),
    (
        "BPS_Services",
        "SELECT i.INTERNALID AS InternalID, s.VISITID AS VisitID, s.SERVICEDATE AS ServiceDate, \
         s.MBSITEM AS MBSItem, s.DESCRIPTION AS Description, s.FEE AS Fee, s.PAYERCODE AS PayerCode \
         FROM SERVICES s JOIN INVOICES i ON i.INVOICEID = s.INVOICEID \
         WHERE s.RECORDSTATUS = 1",
    ),
];
