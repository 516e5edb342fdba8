//! Call-progress tones by country, as [`tone_list`](super::tone_list) writes them: facts of ITU-T E.180 supplement 2
//! (various tones used in national networks) and of the carriers' own documents.

/// A country's tones.
#[derive(Debug)]
pub struct Zone {
    /// How it is called: the country's code.
    pub name: &'static str,
    /// The country.
    pub country: &'static str,
    tones: &'static [(&'static str, &'static str)],
}

/// What a country has that says nothing else.
const EVERYWHERE: &[(&str, &str)] = &[
    ("record", "1400/80,0/15000"),
    ("info", "!950/330,!1400/330,!1800/330,0"),
    ("callwaiting", "425/200,0/600,425/200,0/10000"),
];

/// The zone of an exchange that says nothing else.
pub const HOME: &str = "us";

const fn zone(name: &'static str, country: &'static str, tones: &'static [(&'static str, &'static str)]) -> Zone {
    Zone { name, country, tones }
}

/// Every country, by its code.
pub static ZONES: &[Zone] = &[
    zone(
        "at",
        "Austria",
        &[
            ("dial", "420"),
            ("busy", "420/400,0/400"),
            ("ring", "420/1000,0/5000"),
            ("congestion", "420/200,0/200"),
            ("callwaiting", "420/40,0/1960"),
            ("info", "950/330,1450/330,1850/330,0/1000"),
            ("stutter", "380+420"),
        ],
    ),
    zone(
        "au",
        "Australia",
        &[
            ("dial", "413+438"),
            ("busy", "425/375,0/375"),
            ("ring", "413+438/400,0/200,413+438/400,0/2000"),
            ("congestion", "425/375,0/375,420/375,0/375"),
            ("callwaiting", "425/200,0/200,425/200,0/4400"),
            ("info", "425/2500,0/500"),
            ("record", "!425/1000,0/15000,425/360"),
        ],
    ),
    zone(
        "be",
        "Belgium",
        &[
            ("dial", "425"),
            ("busy", "425/500,0/500"),
            ("ring", "425/1000,0/3000"),
            ("congestion", "425/167,0/167"),
            ("callwaiting", "1400/175,0/175,1400/175,0/3500"),
            ("info", "900/330,1400/330,1800/330,0/1000"),
        ],
    ),
    zone(
        "br",
        "Brazil",
        &[
            ("dial", "425"),
            ("busy", "425/250,0/250"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/250,0/250,425/750,0/250"),
            ("callwaiting", "425/50,0/1000"),
        ],
    ),
    zone("ca", "Canada", NORTH_AMERICA),
    zone(
        "ch",
        "Switzerland",
        &[
            ("dial", "425"),
            ("busy", "425/500,0/500"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/200,0/200"),
            ("callwaiting", "425/200,0/200,425/200,0/4000"),
            ("info", "950/330,1400/330,1800/330,0/1000"),
        ],
    ),
    zone(
        "cn",
        "China",
        &[
            ("dial", "450"),
            ("busy", "450/350,0/350"),
            ("ring", "450/1000,0/4000"),
            ("congestion", "450/700,0/700"),
            ("callwaiting", "450/400,0/4000"),
        ],
    ),
    zone(
        "cz",
        "Czech Republic",
        &[
            ("dial", "425/330,0/330,425/660,0/660"),
            ("busy", "425/330,0/330"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/165,0/165"),
            ("callwaiting", "425/330,0/9000"),
        ],
    ),
    zone(
        "de",
        "Germany",
        &[
            ("dial", "425"),
            ("busy", "425/480,0/480"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/240,0/240"),
            ("callwaiting", "!425/200,!0/200,!425/200,!0/5000,!425/200,!0/200,!425/200,0"),
            ("info", "950/330,1400/330,1800/330,0/1000"),
            ("stutter", "425+400"),
        ],
    ),
    zone(
        "dk",
        "Denmark",
        &[
            ("dial", "425"),
            ("busy", "425/500,0/500"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/200,0/200"),
            ("callwaiting", "!425/200,!0/600,!425/200,!0/3000,!425/200,!0/200,!425/200,0"),
            ("info", "950/330,1400/330,1800/330,0/1000"),
        ],
    ),
    zone(
        "es",
        "Spain",
        &[
            ("dial", "425"),
            ("busy", "425/200,0/200"),
            ("ring", "425/1500,0/3000"),
            ("congestion", "425/200,0/200,425/200,0/200,425/200,0/600"),
            ("callwaiting", "425/175,0/175,425/175,0/3500"),
            ("info", "950/330,0/1000"),
        ],
    ),
    zone(
        "fi",
        "Finland",
        &[
            ("dial", "425"),
            ("busy", "425/300,0/300"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/200,0/200"),
            ("callwaiting", "425/150,0/150,425/150,0/8000"),
            ("dialrecall", "425/650,0/25"),
            ("stutter", "425/650,0/25"),
        ],
    ),
    zone(
        "fr",
        "France",
        &[
            ("dial", "440"),
            ("busy", "440/500,0/500"),
            ("ring", "440/1500,0/3500"),
            ("congestion", "440/250,0/250"),
            ("callwaiting", "440/300,0/10000"),
        ],
    ),
    zone(
        "gr",
        "Greece",
        &[
            ("dial", "425/200,0/300,425/700,0/800"),
            ("busy", "425/300,0/300"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/200,0/200"),
            ("callwaiting", "425/150,0/150,425/150,0/8000"),
        ],
    ),
    zone(
        "hu",
        "Hungary",
        &[
            ("dial", "425"),
            ("busy", "425/300,0/300"),
            ("ring", "425/1250,0/3750"),
            ("congestion", "425/300,0/300"),
            ("callwaiting", "425/40,0/1960"),
        ],
    ),
    zone(
        "ie",
        "Ireland",
        &[
            ("dial", "425"),
            ("busy", "425/500,0/500"),
            ("ring", "400+450/400,0/200,400+450/400,0/2000"),
            ("congestion", "400/400,0/350,400/225,0/525"),
            ("callwaiting", "425/180,0/200,425/200,0/4500"),
        ],
    ),
    zone(
        "il",
        "Israel",
        &[
            ("dial", "414"),
            ("busy", "414/500,0/500"),
            ("ring", "414/1000,0/3000"),
            ("congestion", "414/250,0/250"),
            ("callwaiting", "414/100,0/100,414/100,0/100,414/600,0/3000"),
        ],
    ),
    zone(
        "in",
        "India",
        &[
            ("dial", "400*25"),
            ("busy", "400/750,0/750"),
            ("ring", "400*25/400,0/200,400*25/400,0/2000"),
            ("congestion", "400/250,0/250"),
            ("callwaiting", "400/200,0/100,400/200,0/7500"),
        ],
    ),
    zone(
        "it",
        "Italy",
        &[
            ("dial", "425/200,0/200,425/600,0/1000"),
            ("busy", "425/500,0/500"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/200,0/200"),
            ("callwaiting", "425/400,0/100,425/250,0/100,425/150,0/14000"),
        ],
    ),
    zone(
        "jp",
        "Japan",
        &[
            ("dial", "400"),
            ("busy", "400/500,0/500"),
            ("ring", "400*15/1000,0/2000"),
            ("congestion", "400/500,0/500"),
            ("callwaiting", "400*16/500,0/8000"),
        ],
    ),
    zone(
        "mx",
        "Mexico",
        &[
            ("dial", "425"),
            ("busy", "425/250,0/250"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/250,0/250"),
            ("callwaiting", "425/200,0/600,425/200,0/10000"),
        ],
    ),
    zone(
        "nl",
        "Netherlands",
        &[
            ("dial", "425"),
            ("busy", "425/500,0/500"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/250,0/250"),
            ("callwaiting", "425/500,0/9500"),
            ("info", "950/330,1400/330,1800/330,0/1000"),
            ("stutter", "425/500,0/50"),
        ],
    ),
    zone(
        "no",
        "Norway",
        &[
            ("dial", "425"),
            ("busy", "425/500,0/500"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/200,0/200"),
            ("callwaiting", "425/200,0/600,425/200,0/10000"),
            ("stutter", "470/400,425/400"),
            ("dialrecall", "470/400,425/400"),
        ],
    ),
    zone(
        "nz",
        "New Zealand",
        &[
            ("dial", "400"),
            ("busy", "400/500,0/500"),
            ("ring", "400+450/400,0/200,400+450/400,0/2000"),
            ("congestion", "400/250,0/250"),
            ("callwaiting", "!400/200,!0/3000,!400/200,!0/3000,!400/200,!0/3000,!400/200,0"),
            ("info", "400/750,0/100,400/750,0/100,400/750,0/100,400/750,0/400"),
        ],
    ),
    zone(
        "pl",
        "Poland",
        &[
            ("dial", "425"),
            ("busy", "425/500,0/500"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/500,0/500"),
            ("callwaiting", "425/150,0/150,425/150,0/4000"),
        ],
    ),
    zone(
        "pt",
        "Portugal",
        &[
            ("dial", "425"),
            ("busy", "425/500,0/500"),
            ("ring", "425/1000,0/5000"),
            ("congestion", "425/200,0/200"),
            ("callwaiting", "440/300,0/10000"),
        ],
    ),
    zone(
        "ru",
        "Russia",
        &[
            ("dial", "425"),
            ("busy", "425/350,0/350"),
            ("ring", "425/1000,0/4000"),
            ("congestion", "425/175,0/175"),
            ("callwaiting", "425/200,0/5000"),
        ],
    ),
    zone(
        "se",
        "Sweden",
        &[
            ("dial", "425"),
            ("busy", "425/250,0/250"),
            ("ring", "425/1000,0/5000"),
            ("congestion", "425/250,0/750"),
            ("callwaiting", "425/200,0/500,425/200,0/9100"),
            ("stutter", "425/320,0/20"),
        ],
    ),
    zone(
        "uk",
        "United Kingdom",
        &[
            ("dial", "350+440"),
            ("busy", "400/375,0/375"),
            ("ring", "400+450/400,0/200,400+450/400,0/2000"),
            ("congestion", "400/400,0/350,400/225,0/525"),
            ("callwaiting", "400/100,0/4000"),
            ("record", "1400/500,0/15000"),
            ("stutter", "350+440/750,440/750"),
        ],
    ),
    zone("us", "United States", NORTH_AMERICA),
    zone(
        "za",
        "South Africa",
        &[
            ("dial", "400*33"),
            ("busy", "400/500,0/500"),
            ("ring", "400*33/400,0/200,400*33/400,0/2000"),
            ("congestion", "400/250,0/250"),
            ("callwaiting", "400*33/250,0/250,400*33/250,0/250,400*33/250,0/250,400*33/250,0/250"),
        ],
    ),
];

const NORTH_AMERICA: &[(&str, &str)] = &[
    ("dial", "350+440"),
    ("busy", "480+620/500,0/500"),
    ("ring", "440+480/2000,0/4000"),
    ("congestion", "480+620/250,0/250"),
    ("callwaiting", "440/300,0/10000"),
    ("record", "1400/500,0/15000"),
];

/// The zone of that name.
pub fn find(name: &str) -> Option<&'static Zone> {
    ZONES.iter().find(|zone| zone.name.eq_ignore_ascii_case(name.trim()))
}

impl Zone {
    /// The tone of that name, as a list of tones: `dial`, `ring`, `busy`, `congestion`, `callwaiting`, `dialrecall`,
    /// `stutter`, `record`, `info`.
    pub fn tone(&self, name: &str) -> Option<String> {
        let own = |name: &str| self.tones.iter().find(|(known, _)| *known == name).map(|(_, list)| (*list).to_owned());
        let everywhere = || EVERYWHERE.iter().find(|(known, _)| *known == name).map(|(_, list)| (*list).to_owned());
        own(name).or_else(everywhere).or_else(|| match name {
            // Three short pieces of the dial tone, then all of it.
            "dialrecall" | "stutter" => {
                let dial = own("dial")?;
                let first = dial.split(['/', ',']).next()?.to_owned();
                Some(format!("{}{dial}", format!("!{first}/100,!0/100,").repeat(3)))
            }
            _ => None,
        })
    }

    /// Every tone it has, by name.
    pub fn tones(&self) -> Vec<(&'static str, String)> {
        NAMES.iter().filter_map(|name| Some((*name, self.tone(name)?))).collect()
    }
}

/// The names of the tones that every zone has.
pub const NAMES: &[&str] =
    &["dial", "ring", "busy", "congestion", "callwaiting", "dialrecall", "stutter", "record", "info"];

#[cfg(test)]
mod tests {
    use super::super::tone_list::ToneList;
    use super::*;

    #[test]
    fn every_zone_has_every_tone_and_each_can_be_heard() {
        assert!(ZONES.windows(2).all(|pair| pair[0].name < pair[1].name));
        for zone in ZONES {
            let tones = zone.tones();
            assert_eq!(tones.len(), NAMES.len(), "{}", zone.name);
            for (name, list) in tones {
                let tone = ToneList::parse(&list).unwrap_or_else(|why| panic!("{} {name}: {why}", zone.name)).render();
                assert!(tone.samples.iter().any(|sample| sample.abs() > 3_000), "{} {name}", zone.name);
            }
        }
        for name in "us uk de fr at ch nl it es se no dk fi be au nz jp ca ru br".split(' ') {
            assert!(find(name).is_some(), "{name}");
        }
        assert!(find("atlantis").is_none() && find("UK").is_some());
        assert!(find("us").and_then(|zone| zone.tone("nonsense")).is_none());
    }
}
