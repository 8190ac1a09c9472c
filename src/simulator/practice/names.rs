//! Names, addresses and numbers of people who do not exist.
//!
//! Names hold what breaks naive code: apostrophes of both kinds, hyphens, and the letters that the
//! single-byte code page of the practice has. Numbers cannot be anybody's: telephones are from the ranges
//! that the Australian regulator keeps free for fiction, Medicare and health-identifier numbers have a
//! wrong check digit, and mail goes to reserved domains.

use super::chance::Chance;

pub(super) const FEMALE_NAMES: &[&str] = &[
    "Zoë",
    "Renée",
    "Siân",
    "Chloë",
    "Matilda",
    "Isla",
    "Evelyn",
    "Harriet",
    "Saoirse",
    "Imogen",
    "Thi Minh",
    "Mei-Ling",
    "Ngaire",
    "Yindi",
    "Kirra",
    "Agnieszka",
    "Priya",
    "Fatima",
    "Noëlle",
    "Inès",
    "Marjorie",
    "Beryl",
    "Phyllis",
    "Giulia",
    "Anaïs",
    "Tallulah",
    "Marguerite",
    "Xanthe",
    "Björk",
    "Daphne",
    "Leilani",
    "Gwendolyn",
    "Philippa",
    "Zainab",
    "Hedwig",
    "Aroha",
];

pub(super) const MALE_NAMES: &[&str] = &[
    "Björn",
    "François",
    "José",
    "Søren",
    "Angus",
    "Hamish",
    "Lachlan",
    "Callum",
    "Declan",
    "Seán",
    "Jörg",
    "Nikolaos",
    "Tjandamurra",
    "Jarrah",
    "Kwame",
    "Rajesh",
    "Mohammed",
    "Étienne",
    "Günther",
    "Gianluca",
    "Cuthbert",
    "Neville",
    "Reginald",
    "Thaddeus",
    "Vikram",
    "Zbigniew",
    "Óscar",
    "Fergus",
    "Xavier",
    "Ignatius",
    "Tane",
    "Dashiell",
    "Barnaby",
    "Lleyton",
    "Ravindra",
];

pub(super) const SURNAMES: &[&str] = &[
    "O'Brien",
    "O’Shaughnessy",
    "D'Arcy",
    "D’Souza",
    "McAllister",
    "MacPherson",
    "Nguyen",
    "Müller",
    "Núñez",
    "Strömberg",
    "Škvorecky",
    "Papadopoulos",
    "Yunupingu-Hart",
    "van der Merwe",
    "de la Cruz",
    "Smythe-Jones",
    "Featherstonehaugh",
    "Kowalczyk",
    "Žižek-Marr",
    "Gutiérrez",
    "Lefèvre",
    "Bergström",
    "Hämäläinen",
    "Ó Súilleabháin",
    "Al-Khalili",
    "Ramanathan",
    "Bhattacharya",
    "Tamihana",
    "Zhang-Whitlam",
    "Quirke",
    "Abercrombie",
    "Wollstonecraft",
    "Yarrington",
    "Blaxland",
    "Throsby",
    "Goldfinch",
    "Pemberton",
    "Ashgrove",
    "Thistlewood",
    "Brindabella",
    "Katoomba",
    "Narracott",
    "Ellingworth",
    "Fotheringham",
    "Hollingsworth",
    "Ironbark",
    "Jindabyne",
    "Kirkpatrick",
    "Lillywhite",
    "Merriweather",
];

const STREETS: &[&str] = &[
    "Banksia Street",
    "Waratah Avenue",
    "Jacaranda Drive",
    "Kookaburra Lane",
    "O'Connell Parade",
    "Wattle Grove",
    "Lyrebird Close",
    "Coolibah Crescent",
    "Bottlebrush Road",
    "Currawong Court",
];

/// Six fictional towns per region, with postcodes that the region really uses.
const TOWNS: &[(&str, &str)] = &[
    ("Wirrabilla", "2577"),
    ("Port Grevillea", "3284"),
    ("Mount Bandicoot", "4874"),
    ("Quandong Flat", "5307"),
    ("Boronia Vale", "6258"),
    ("St Ita’s Bay", "7215"),
    ("Gumnut Crossing", "0852"),
];

/// Mobile numbers that the regulator keeps free for fiction.
const MOBILES: &[&str] = &[
    "0491 570 006",
    "0491 570 156",
    "0491 570 157",
    "0491 570 158",
    "0491 570 159",
    "0491 570 110",
    "0491 570 313",
    "0491 570 737",
    "0491 571 266",
    "0491 571 491",
    "0491 571 804",
    "0491 572 549",
    "0491 572 665",
    "0491 572 983",
    "0491 573 770",
    "0491 573 087",
    "0491 574 118",
    "0491 574 632",
    "0491 575 254",
    "0491 575 789",
    "0491 576 398",
    "0491 576 801",
    "0491 577 426",
    "0491 577 644",
    "0491 578 957",
    "0491 578 148",
    "0491 578 888",
    "0491 579 212",
    "0491 579 760",
    "0491 579 455",
];

/// A street address: number and street.
pub(super) fn street(chance: &mut Chance) -> String {
    format!("{} {}", chance.between(1, 240), chance.pick(STREETS))
}

/// A town and its postcode.
pub(super) fn town(chance: &mut Chance) -> (&'static str, &'static str) {
    *chance.pick(TOWNS)
}

/// A landline number from a fictional range.
pub(super) fn landline(chance: &mut Chance) -> String {
    let area = chance.pick(&["02", "03", "07", "08"]);
    format!(
        "{area} {} {:04}",
        chance.pick(&["5550", "7010"]),
        chance.between(0, 9999)
    )
}

/// A mobile number from the fictional ones.
pub(super) fn mobile(chance: &mut Chance) -> String {
    (*chance.pick(MOBILES)).to_owned()
}

/// A Medicare number of ten digits whose check digit is wrong.
pub(super) fn medicare(chance: &mut Chance) -> String {
    const WEIGHTS: [i32; 8] = [1, 3, 7, 9, 1, 3, 7, 9];
    let mut digits = [0; 8];
    digits[0] = chance.between(2, 6);
    for digit in &mut digits[1..] {
        *digit = chance.between(0, 9);
    }
    let right: i32 = digits.iter().zip(WEIGHTS).map(|(d, w)| d * w).sum::<i32>() % 10;
    let text: String = digits.iter().map(ToString::to_string).collect();
    format!("{text}{}{}", (right + 5) % 10, chance.between(1, 3))
}

/// An individual health identifier of sixteen digits whose check digit is wrong.
pub(super) fn health_identifier(chance: &mut Chance) -> String {
    let body = format!("800360{:09}", chance.between(0, 999_999_999));
    format!("{body}{}", (luhn(&body) + 5) % 10)
}

/// The Luhn check digit that `body` asks for.
fn luhn(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 0 {
                digit / 5 + digit * 2 % 10
            } else {
                digit
            }
        })
        .sum();
    (10 - sum % 10) % 10
}

/// A mail address at a reserved domain: letters of the name, and a number that keeps it apart.
pub(super) fn mail(first: &str, surname: &str, number: u32) -> String {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    format!("{}.{}{number}@mail.example", plain(first), plain(surname))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_luhn_digit_of_the_textbook_number_is_3() {
        assert_eq!(luhn("7992739871"), 3);
    }

    #[test]
    fn a_medicare_number_is_never_valid() {
        let mut chance = Chance::new(&[1]);
        for _ in 0..200 {
            let digits: Vec<u32> = medicare(&mut chance)
                .bytes()
                .map(|byte| u32::from(byte - b'0'))
                .collect();
            let sum: u32 = digits
                .iter()
                .zip([1, 3, 7, 9, 1, 3, 7, 9])
                .map(|(d, w)| d * w)
                .sum();
            assert_eq!(digits.len(), 10);
            assert_ne!(sum % 10, digits[8]);
        }
    }

    #[test]
    fn names_fit_the_single_byte_code_page_and_their_columns() {
        // Windows-1252 has Latin-1 and a handful of letters and marks beyond it.
        let beyond_latin_1 = "ŠšŽžŒœŸƒ’‘“”–—…€";
        for name in FEMALE_NAMES.iter().chain(MALE_NAMES).chain(SURNAMES) {
            assert!(name.len() <= 30, "{name}");
            for letter in name.chars() {
                assert!(
                    u32::from(letter) < 256 || beyond_latin_1.contains(letter),
                    "{name}"
                );
            }
        }
    }
}
