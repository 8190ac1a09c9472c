//! What drives a patient's care: how often they come, what they have, how big they are.

use chrono::NaiveDate;

/// Conditions that shape a patient's care. Not in the database: there, only their records are.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    pub(super) visits_per_year: u32,
    pub(super) diabetes: bool,
    pub(super) hypertension: bool,
    pub(super) asthma: bool,
    pub(super) copd: bool,
    pub(super) heart_disease: bool,
    pub(super) hysterectomy: bool,
    /// 0 not asked, 1 never, 2 ex, 3 smokes.
    pub(super) smoking: i32,
    pub(super) drinks: bool,
    /// Centimetres.
    pub(super) height: i32,
    /// Tenths of a kilogram.
    pub(super) weight: i32,
    pub(super) booked: bool,
    pub(super) last_influenza: Option<NaiveDate>,
    pub(super) last_screening: Option<NaiveDate>,
    /// Positions in the tables of the rows that are kept once per patient.
    pub(super) tobacco: Option<usize>,
    pub(super) alcohol: Option<usize>,
    pub(super) obs_gyn: Option<usize>,
    /// Open pregnancy.
    pub(super) pregnancy: Option<usize>,
    /// Medicines taken: position of the product, position in `CURRENTRX`.
    pub(super) medicines: Vec<(usize, usize)>,
    pub(super) doses: u32,
}

impl Profile {
    /// Whether a long-term condition asks for more frequent care.
    pub(super) fn is_chronic(&self) -> bool {
        self.diabetes || self.hypertension || self.copd || self.heart_disease || self.asthma
    }
}
