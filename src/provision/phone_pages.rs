//! Pages that Cisco's telephones show: the phone book and the list of services (Cisco's XML objects CiscoIPPhoneDirectory and
//! CiscoIPPhoneMenu).

use super::template::xml;
use crate::config::phone_book::PhoneBook;
use std::fmt::Write as _;

/// The most entries of a page (Cisco's application development notes).
pub const PER_PAGE: usize = 32;

/// The name of a page of the phone book, from 1.
pub fn directory_name(page: usize) -> String {
    if page <= 1 { "directory.xml".to_owned() } else { format!("directory-{page}.xml") }
}

/// Which page of the phone book a name asks for.
pub fn directory_page(name: &str) -> Option<usize> {
    if name == "directory.xml" {
        return Some(1);
    }
    let page: usize = name.strip_prefix("directory-")?.strip_suffix(".xml")?.parse().ok()?;
    (page > 1).then_some(page)
}

/// A page of the phone book; none: there is no such page. `http`: where the pages are.
pub fn directory(book: &PhoneBook, page: usize, http: &str) -> Option<String> {
    let all = book.entries().len();
    let entries = book.entries().chunks(PER_PAGE).nth(page.checked_sub(1)?)?;
    let first = page.saturating_sub(1).saturating_mul(PER_PAGE).saturating_add(1);
    let last = first.saturating_add(entries.len()).saturating_sub(1);
    let mut text =
        format!("<CiscoIPPhoneDirectory>\n<Title>Phone book</Title>\n<Prompt>{first} to {last} of {all}</Prompt>\n");
    for entry in entries {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<DirectoryEntry><Name>{}</Name><Telephone>{}</Telephone></DirectoryEntry>",
            xml(&entry.name),
            xml(&entry.number)
        );
    }
    let mut keys = vec![("Dial", "SoftKey:Dial".to_owned())];
    if last < all {
        keys.push(("Next", format!("{http}/{}", directory_name(page.saturating_add(1)))));
    }
    if page > 1 {
        keys.push(("Back", format!("{http}/{}", directory_name(page.saturating_sub(1)))));
    }
    keys.push(("Exit", "SoftKey:Exit".to_owned()));
    for (position, (name, url)) in (1..).zip(&keys) {
        let _ = writeln!(
            text,
            "<SoftKeyItem><Name>{name}</Name><URL>{}</URL><Position>{position}</Position></SoftKeyItem>",
            xml(url)
        );
    }
    text += "</CiscoIPPhoneDirectory>\n";
    Some(text)
}

/// The telephone's services: what there is to show.
pub fn services(http: &str) -> String {
    format!(
        "<CiscoIPPhoneMenu>\n<Title>Services</Title>\n<Prompt>Choose one</Prompt>\n\
         <MenuItem><Name>Phone book</Name><URL>{}</URL></MenuItem>\n</CiscoIPPhoneMenu>\n",
        xml(&format!("{http}/{}", directory_name(1)))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::phone_book;

    fn book(count: usize) -> PhoneBook {
        let text: String = (1..=count).map(|n| format!("Ann & Bo {n:03},{n}\n")).collect();
        phone_book::parse(text.as_bytes(), b"").0
    }

    #[test]
    fn the_phone_book_is_shown_32_at_a_time() {
        let book = book(70);
        let page = |number| directory(&book, number, "http://192.0.2.1:8069");
        let first = page(1).unwrap();
        assert_eq!(first.matches("<DirectoryEntry>").count(), 32);
        assert!(first.contains("<Prompt>1 to 32 of 70</Prompt>"), "{first}");
        assert!(first.contains("<Name>Ann &amp; Bo 001</Name><Telephone>1</Telephone>"), "{first}");
        assert!(
            first.contains("<Name>Next</Name><URL>http://192.0.2.1:8069/directory-2.xml</URL><Position>2</Position>"),
            "{first}"
        );
        assert!(!first.contains("<Name>Back</Name>"));
        let last = page(3).unwrap();
        assert_eq!(last.matches("<DirectoryEntry>").count(), 6);
        assert!(
            last.contains("<Prompt>65 to 70 of 70</Prompt>")
                && !last.contains("Next")
                && last.contains("/directory-2.xml")
        );
        assert_eq!((page(4), page(0)), (None, None));
    }

    #[test]
    fn pages_are_asked_for_by_name() {
        for (name, page) in [
            ("directory.xml", Some(1)),
            ("directory-2.xml", Some(2)),
            ("directory-1.xml", None),
            ("directory-x.xml", None),
        ] {
            assert_eq!(directory_page(name), page, "{name}");
            assert!(page.is_none_or(|page| directory_name(page) == name));
        }
        assert!(services("http://h").contains("<URL>http://h/directory.xml</URL>"));
    }
}
