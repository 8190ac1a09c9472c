//! Medicines, their ingredients and classes, as the drug database of every practice has them.

use super::lookups::{Cell, Lookup, drugs};

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

/// The tables of medicines.
pub(super) fn tables() -> Vec<Lookup> {
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
