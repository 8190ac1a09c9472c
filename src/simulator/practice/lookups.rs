//! Code tables: what the numbers in the other tables mean.
//!
//! Codes that the public notes name are those of the notes. Where only the texts are known (sex, ethnicity,
//! patient status, appointment status), the numbers are invented: queries decode them by joining the table,
//! as they must at a real practice.

/// The catalogue of patients, visits and money.
pub(super) const PATIENTS: &str = "BPSPatients";
/// The catalogue of products and vaccines.
pub(super) const DRUGS: &str = "BPSDrugs";

/// A code table: catalogue, name, columns with their types, rows of numbers and texts.
pub(super) struct Lookup {
    pub(super) catalogue: &'static str,
    pub(super) table: &'static str,
    pub(super) columns: &'static [(&'static str, &'static str)],
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A cell of a code table.
pub(super) enum Cell {
    Number(u32),
    Text(&'static str),
    Owned(String),
}

/// A vaccine: id, name, code at the register, whether for children, diseases.
pub(super) struct Vaccine {
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) register_code: &'static str,
    pub(super) for_children: bool,
    pub(super) diseases: &'static [u32],
}

/// Position of the seasonal influenza vaccines in [`VACCINES`]: for all, and for 65 and over.
pub(super) const INFLUENZA: [usize; 2] = [0, 1];
/// Position of the vaccines that older people get.
pub(super) const OLDER: [usize; 3] = [2, 3, 4];
/// Position of the vaccines of childhood.
pub(super) const CHILDHOOD: [usize; 3] = [5, 6, 7];

pub(super) const VACCINES: &[Vaccine] = &[
    vaccine(211, "Fluquadri", "FLUQUA", false, &[7]),
    vaccine(212, "Fluad Quad", "FLUADQ", false, &[7, 30]),
    vaccine(103, "Zostavax", "ZOSTAV", false, &[21]),
    vaccine(104, "Shingrix", "SHNGRX", false, &[21]),
    vaccine(87, "Prevenar 13", "PRVNR13", false, &[14]),
    vaccine(31, "Infanrix Hexa", "INFHEX", true, &[1, 2, 3, 4, 5, 6]),
    vaccine(44, "Priorix-Tetra", "PRITET", true, &[9, 10, 11, 12]),
    vaccine(52, "Rotarix", "ROTRIX", true, &[18]),
    vaccine(301, "Comirnaty", "COMIRN", false, &[41]),
    vaccine(76, "Boostrix", "BOOSTX", false, &[1, 2, 3]),
];

const fn vaccine(
    id: u32,
    name: &'static str,
    register_code: &'static str,
    for_children: bool,
    diseases: &'static [u32],
) -> Vaccine {
    Vaccine {
        id,
        name,
        register_code,
        for_children,
        diseases,
    }
}

const DISEASES: &[(u32, &str)] = &[
    (1, "Diphtheria"),
    (2, "Tetanus"),
    (3, "Pertussis"),
    (4, "Polio"),
    (5, "Hepatitis B"),
    (6, "Hib"),
    (7, "Influenza"),
    (9, "Measles"),
    (10, "Mumps"),
    (11, "Rubella"),
    (12, "Varicella"),
    (14, "Pneumococcal"),
    (18, "Rotavirus"),
    (21, "Herpes zoster"),
    (30, "Influenza (adjuvanted)"),
    (41, "COVID-19"),
];

/// A medicine: product, name, strength, dose, ingredient, class of drug.
pub(super) struct Product {
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) strength: &'static str,
    pub(super) dose: &'static str,
    pub(super) ingredient: (u32, &'static str),
    pub(super) class: (u32, &'static str),
}

pub(super) const PRODUCTS: &[Product] = &[
    product(
        5101,
        "Metformin Tablet 500mg",
        "500mg",
        "1",
        (701, "Metformin"),
        (11, "Biguanides"),
    ),
    product(
        5102,
        "Gliclazide MR Tablet 60mg",
        "60mg",
        "1/2",
        (702, "Gliclazide"),
        (12, "Sulfonylureas"),
    ),
    product(
        5201,
        "Perindopril Tablet 5mg",
        "5mg",
        "1",
        (711, "Perindopril"),
        (21, "ACE inhibitors"),
    ),
    product(
        5202,
        "Amlodipine Tablet 5mg",
        "5mg",
        "1",
        (712, "Amlodipine"),
        (22, "Calcium channel blockers"),
    ),
    product(
        5301,
        "Atorvastatin Tablet 40mg",
        "40mg",
        "1",
        (721, "Atorvastatin"),
        (31, "Statins"),
    ),
    product(
        5401,
        "Salbutamol Inhaler 100mcg",
        "100mcg",
        "2 puffs",
        (731, "Salbutamol"),
        (41, "Beta-2 agonists"),
    ),
    product(
        5402,
        "Tiotropium Capsule 18mcg",
        "18mcg",
        "1",
        (732, "Tiotropium"),
        (42, "Anticholinergics"),
    ),
    product(
        5501,
        "Aspirin Tablet 100mg",
        "100mg",
        "1",
        (741, "Aspirin"),
        (51, "Antiplatelets"),
    ),
    product(
        5601,
        "Amoxicillin Capsule 500mg",
        "500mg",
        "1",
        (751, "Amoxicillin"),
        (61, "Penicillins"),
    ),
    product(
        5602,
        "Cefalexin Capsule 500mg",
        "500mg",
        "1",
        (752, "Cefalexin"),
        (62, "Cephalosporins"),
    ),
    product(
        5701,
        "Paracetamol/Codeine Tablet 500mg/30mg",
        "500mg/30mg",
        "1-2",
        (761, "Codeine"),
        (71, "Opioids"),
    ),
];

const fn product(
    id: u32,
    name: &'static str,
    strength: &'static str,
    dose: &'static str,
    ingredient: (u32, &'static str),
    class: (u32, &'static str),
) -> Product {
    Product {
        id,
        name,
        strength,
        dose,
        ingredient,
        class,
    }
}

/// Paracetamol belongs to the product that has two ingredients.
const PARACETAMOL: (u32, &str, u32) = (762, "Paracetamol", 5701);

/// All code tables; `practice_name` stands in `PRACTICE`.
pub(super) fn all(practice_name: &str) -> Vec<Lookup> {
    let mut lookups = patient_lookups();
    lookups.extend(clinical_lookups());
    lookups.extend(vaccine_tables());
    lookups.extend(product_tables());
    lookups.push(Lookup {
        catalogue: PATIENTS,
        table: "PRACTICE",
        columns: &[
            ("PRACTICENAME", "char(100)"),
            ("HPIO", "char(16)"),
            ("ABN", "char(14)"),
            ("PIPNUMBER", "char(12)"),
        ],
        rows: vec![vec![
            Cell::Owned(practice_name.to_owned()),
            Cell::Text(""),
            Cell::Text(""),
            Cell::Text(""),
        ]],
    });
    lookups
}

fn codes(
    table: &'static str,
    columns: &'static [(&'static str, &'static str)],
    rows: &[(u32, &'static str)],
) -> Lookup {
    Lookup {
        catalogue: PATIENTS,
        table,
        columns,
        rows: rows
            .iter()
            .map(|&(code, text)| vec![Cell::Number(code), Cell::Text(text)])
            .collect(),
    }
}

fn patient_lookups() -> Vec<Lookup> {
    vec![
        codes(
            "SEX",
            &[("SEXCODE", "int not null"), ("SEX", "char(10)")],
            &[(1, "Female"), (2, "Male"), (3, "Other")],
        ),
        codes(
            "ETHNICITY",
            &[("ETHNICCODE", "int not null"), ("ETHNICTYPE", "char(50)")],
            &[
                (1, "Aboriginal"),
                (2, "Torres Strait Islander"),
                (3, "Aboriginal/Torres Strait Islander"),
                (4, "Neither Aboriginal nor Torres Strait Islander"),
                (1013, "New Zealander"),
            ],
        ),
        codes(
            "PATIENTSTATUS",
            &[("STATUSCODE", "int not null"), ("STATUSTEXT", "char(12)")],
            &[(1, "Active"), (2, "Inactive"), (3, "Deceased")],
        ),
        codes(
            "TITLES",
            &[("TITLECODE", "int not null"), ("TITLE", "char(30)")],
            &[(1, "Ms"), (2, "Mr"), (3, "Mrs"), (4, "Mx"), (5, "Dr")],
        ),
        codes(
            "PENSIONTYPE",
            &[("PENSIONCODE", "int not null"), ("PENSIONTYPE", "char(40)")],
            &[
                (1, "Pension card"),
                (2, "Health care card"),
                (3, "Seniors card"),
            ],
        ),
        codes(
            "USERGROUPS",
            &[("GROUPCODE", "int not null"), ("GROUPNAME", "char(60)")],
            &[(1, "General practitioner"), (2, "Nurse"), (3, "Reception")],
        ),
        codes(
            "APPOINTMENTCODES",
            &[
                ("APPOINTMENTCODE", "int not null"),
                ("DESCRIPTION", "char(20)"),
            ],
            &[
                (1, "Booked"),
                (2, "Waiting"),
                (3, "With doctor"),
                (4, "At billing"),
                (5, "Completed"),
                (7, "Did not attend"),
            ],
        ),
        codes(
            "APPOINTMENTTYPES",
            &[
                ("APPOINTMENTCODE", "int not null"),
                ("DESCRIPTION", "char(250)"),
            ],
            &[
                (1, "Standard consultation"),
                (2, "Long consultation"),
                (3, "Care plan"),
                (4, "Vaccination"),
            ],
        ),
    ]
}

fn clinical_lookups() -> Vec<Lookup> {
    vec![
        codes(
            "VISITTYPE",
            &[("VISITCODE", "int not null"), ("VISITTYPE", "char(20)")],
            &[
                (1, "Surgery"),
                (2, "Home"),
                (3, "Hospital"),
                (6, "RACF"),
                (7, "Telephone"),
                (12, "Non Visit"),
                (13, "Telehealth"),
            ],
        ),
        codes(
            "SMOKINGSTATUS",
            &[("SMOKINGCODE", "int not null"), ("SMOKINGTEXT", "char(20)")],
            &[(1, "Non smoker"), (2, "Ex smoker"), (3, "Smoker")],
        ),
        codes(
            "CSTCODES",
            &[("CSTCODE", "int not null"), ("CSTTYPE", "char(12)")],
            &[(1, "PAP"), (2, "CST"), (3, "CST self")],
        ),
        codes(
            "PAPRESULTS",
            &[("PAPCODE", "int not null"), ("PAPRESULT", "char(30)")],
            &[
                (1, "Negative"),
                (2, "Low-grade change"),
                (3, "High-grade change"),
                (4, "Unsatisfactory"),
            ],
        ),
        codes(
            "SEVERITYCODES",
            &[("SEVERITYCODE", "int not null"), ("SEVERITY", "char(20)")],
            &[(1, "Mild"), (2, "Moderate"), (3, "Severe")],
        ),
    ]
}

fn vaccine_tables() -> Vec<Lookup> {
    let vaccines = VACCINES.iter().map(|v| {
        vec![
            Cell::Number(v.id),
            Cell::Text(v.name),
            Cell::Text(v.register_code),
            Cell::Number(u32::from(v.for_children)),
            Cell::Text(v.name),
        ]
    });
    let links = VACCINES.iter().flat_map(|v| {
        v.diseases
            .iter()
            .map(|disease| vec![Cell::Number(v.id), Cell::Number(*disease)])
    });
    let diseases = DISEASES
        .iter()
        .map(|&(code, name)| vec![Cell::Number(code), Cell::Text(name)]);
    vec![
        drugs(
            "VACCINES",
            &[
                ("VACCINEID", "int not null"),
                ("VACCINENAME", "char(50)"),
                ("ACIRCODE", "char(10)"),
                ("CHILDHOOD", "int not null"),
                ("GENERIC", "char(50)"),
            ],
            vaccines.collect(),
        ),
        drugs(
            "VACCINE_DISEASE",
            &[
                ("VACCINEID", "int not null"),
                ("DISEASECODE", "int not null"),
            ],
            links.collect(),
        ),
        drugs(
            "VAXDISEASES",
            &[("DISEASECODE", "int not null"), ("DISEASENAME", "char(50)")],
            diseases.collect(),
        ),
    ]
}

fn drugs(
    table: &'static str,
    columns: &'static [(&'static str, &'static str)],
    rows: Vec<Vec<Cell>>,
) -> Lookup {
    Lookup {
        catalogue: DRUGS,
        table,
        columns,
        rows,
    }
}

fn product_tables() -> Vec<Lookup> {
    let pair = |(code, name): (u32, &'static str)| vec![Cell::Number(code), Cell::Text(name)];
    let link = |a: u32, b: u32| vec![Cell::Number(a), Cell::Number(b)];
    let (paracetamol, paracetamol_name, compound) = PARACETAMOL;
    let each = || PRODUCTS.iter();
    vec![
        drugs(
            "PRODUCTNAMES",
            &[
                ("PRODUCTNAMEID", "int not null"),
                ("PRODUCTNAME", "char(60)"),
            ],
            each().map(|p| pair((p.id + 10_000, p.name))).collect(),
        ),
        drugs(
            "PRODUCTS",
            &[
                ("PRODUCTID", "int not null"),
                ("PRODUCTNAMEID", "int not null"),
            ],
            each().map(|p| link(p.id, p.id + 10_000)).collect(),
        ),
        drugs(
            "INGREDIENTS",
            &[
                ("INGREDIENTID", "int not null"),
                ("INGREDIENTNAME", "char(60)"),
            ],
            each()
                .map(|p| pair(p.ingredient))
                .chain([pair((paracetamol, paracetamol_name))])
                .collect(),
        ),
        drugs(
            "PRODUCT_INGREDIENT",
            &[
                ("PRODUCTID", "int not null"),
                ("INGREDIENTID", "int not null"),
            ],
            each()
                .map(|p| link(p.id, p.ingredient.0))
                .chain([link(compound, paracetamol)])
                .collect(),
        ),
        drugs(
            "DRUGCLASSES",
            &[("DRUGCLASSID", "int not null"), ("DESCRIPTION", "char(60)")],
            each().map(|p| pair(p.class)).collect(),
        ),
        drugs(
            "INGREDIENT_DRUGCLASS",
            &[
                ("INGREDIENTID", "int not null"),
                ("DRUGCLASSID", "int not null"),
                ("RECORDSTATUS", "int not null"),
            ],
            each()
                .map(|p| {
                    vec![
                        Cell::Number(p.ingredient.0),
                        Cell::Number(p.class.0),
                        Cell::Number(1),
                    ]
                })
                .collect(),
        ),
    ]
}
