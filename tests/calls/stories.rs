//! How a story is told: once on a perfect network, where every time and order can be asserted, and many times on a bad
//! one, where everybody must agree in the end and nothing may be left. Once over TCP, too, where nothing is sent twice.

/// How many bad networks each story is told on: 20, or what `STROWGER_SEEDS` says.
pub fn seeds() -> u64 {
    std::env::var("STROWGER_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Makes the three tests of each story: `name(sip.conf, extensions.conf)`, a function over the world.
macro_rules! stories {
    ($($name:ident($sip:expr, $extensions:expr);)*) => {
        mod perfect {
            use super::*;
            $(#[test]
            fn $name() {
                let mut world = crate::testbed::Testbed::ready($sip.as_ref(), $extensions.as_ref());
                super::$name(&mut world);
                world.assert_nothing_left();
            })*
        }
        mod connected {
            use super::*;
            $(#[test]
            fn $name() {
                let mut world = crate::testbed::Testbed::connected($sip.as_ref(), $extensions.as_ref());
                super::$name(&mut world);
                world.assert_nothing_left();
            })*
        }
        mod rough {
            use super::*;
            $(#[test]
            fn $name() {
                for seed in 0..crate::stories::seeds() {
                    let mut world = crate::testbed::Testbed::rough($sip.as_ref(), $extensions.as_ref(), seed);
                    super::$name(&mut world);
                    world.assert_nothing_left();
                }
            })*
        }
    };
}
pub(crate) use stories;
