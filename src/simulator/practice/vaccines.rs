//! Vaccines and what they are against, as the drug database of every practice has them.

use super::lookups::{Cell, Lookup, drugs};

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

/// The tables of vaccines.
pub(super) fn tables() -> Vec<Lookup> {
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
