//! Options of drivers, as the JS runtime gave them, read with clear errors.

use std::rc::Rc;

use crate::driver::{Driver, ReadOnly};
use crate::error::{Error, Kind, Result};

/// A test that only the JS runtime can make; called on the JS thread.
pub type Predicate = Rc<dyn Fn(&str) -> Result<bool>>;

/// One option, as given.
#[derive(Clone)]
pub enum Given {
    /// `true` or `false`.
    Bool(bool),
    /// Any number, NaN too.
    Number(f64),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Given>),
    /// Named options.
    Map(Vec<(String, Given)>),
    /// A function or a RegExp that tests a path.
    Predicate(Predicate),
    /// A driver.
    Driver(Rc<dyn Driver>),
    /// Anything else, described for messages.
    Other(String),
}

impl Given {
    fn describe(&self) -> String {
        match self {
            Given::Bool(value) => value.to_string(),
            Given::Number(value) => value.to_string(),
            Given::String(value) => format!("{value:?}"),
            Given::List(_) => "a list".to_owned(),
            Given::Map(_) => "an object".to_owned(),
            Given::Predicate(_) => "a function".to_owned(),
            Given::Driver(_) => "a driver".to_owned(),
            Given::Other(what) => what.clone(),
        }
    }
}

/// The options of one driver. Absent and `undefined` options are the same.
#[derive(Clone, Default)]
pub struct DriverOptions {
    entries: Vec<(String, Given)>,
}

impl DriverOptions {
    /// Options by name.
    pub fn new(entries: Vec<(String, Given)>) -> Self {
        DriverOptions { entries }
    }

    /// The option as given.
    pub fn get(&self, name: &str) -> Option<&Given> {
        self.entries
            .iter()
            .find(|(entry, _)| entry == name)
            .map(|(_, given)| given)
    }

    /// Options nested under `name`; none where it is absent.
    ///
    /// # Errors
    /// [`Kind::InvalidOption`] when it is no object.
    pub fn nested(&self, name: &str) -> Result<DriverOptions> {
        match self.get(name) {
            None => Ok(DriverOptions::default()),
            Some(Given::Map(entries)) => Ok(DriverOptions::new(entries.clone())),
            Some(other) => Err(wrong(name, other, "an object")),
        }
    }

    /// A string that must be there and not empty.
    ///
    /// # Errors
    /// [`Kind::RequiredOption`] when it is absent, [`Kind::InvalidOption`] when it is no string.
    pub fn required_string(&self, name: &str) -> Result<String> {
        match self.string(name)? {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(missing(name)),
        }
    }

    /// A string.
    ///
    /// # Errors
    /// [`Kind::InvalidOption`] when it is something else.
    pub fn string(&self, name: &str) -> Result<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Given::String(value)) => Ok(Some(value.clone())),
            Some(other) => Err(wrong(name, other, "a string")),
        }
    }

    /// A boolean, `default` where it is absent.
    ///
    /// # Errors
    /// [`Kind::InvalidOption`] when it is something else.
    pub fn bool(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name) {
            None => Ok(default),
            Some(Given::Bool(value)) => Ok(*value),
            Some(other) => Err(wrong(name, other, "true or false")),
        }
    }

    /// The option `readOnly`.
    ///
    /// # Errors
    /// [`Kind::InvalidOption`] when it is neither a boolean nor `"error"`.
    pub fn read_only(&self) -> Result<ReadOnly> {
        let name = "readOnly";
        match self.get(name) {
            None | Some(Given::Bool(false)) => Ok(ReadOnly::No),
            Some(Given::Bool(true)) => Ok(ReadOnly::Silent),
            Some(Given::String(value)) if value == "error" => Ok(ReadOnly::Error),
            Some(other) => Err(wrong(name, other, "true, false or \"error\"")),
        }
    }

    /// A whole number from `least` up, `default` where it is absent.
    ///
    /// # Errors
    /// [`Kind::InvalidOption`] when it is something else.
    pub fn whole_number(&self, name: &str, least: u32, default: u32) -> Result<u32> {
        match self.get(name) {
            None => Ok(default),
            Some(Given::Number(value))
                if value.fract() == 0.0
                    && *value >= f64::from(least)
                    && *value <= f64::from(i32::MAX) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the guard keeps the number whole and in range"
                )]
                let value = *value as u32;
                Ok(value)
            }
            Some(other) => Err(wrong(
                name,
                other,
                &format!("a whole number from {least} to {}", i32::MAX),
            )),
        }
    }

    /// A list of strings.
    ///
    /// # Errors
    /// [`Kind::InvalidOption`] when it is something else.
    pub fn strings(&self, name: &str) -> Result<Option<Vec<String>>> {
        let expected = "a list of strings";
        let Some(given) = self.get(name) else {
            return Ok(None);
        };
        let Given::List(list) = given else {
            return Err(wrong(name, given, expected));
        };
        list.iter()
            .map(|entry| match entry {
                Given::String(value) => Ok(value.clone()),
                other => Err(wrong(name, other, expected)),
            })
            .collect::<Result<_>>()
            .map(Some)
    }

    /// A driver that must be there.
    ///
    /// # Errors
    /// [`Kind::RequiredOption`] when it is absent, [`Kind::InvalidOption`] when it is no driver.
    pub fn required_driver(&self, name: &str) -> Result<Rc<dyn Driver>> {
        match self.get(name) {
            None => Err(missing(name)),
            Some(Given::Driver(driver)) => Ok(driver.clone()),
            Some(other) => Err(wrong(
                name,
                other,
                "a driver (an object with the methods `hasItem`, `getItem` and `getKeys`)",
            )),
        }
    }
}

/// The error of an option that must be given.
pub fn missing(name: &str) -> Error {
    Error::new(
        Kind::RequiredOption,
        format!("Missing required option `{name}`."),
    )
}

/// The error of an option that is not what it must be.
pub fn wrong(name: &str, given: &Given, expected: &str) -> Error {
    Error::new(
        Kind::InvalidOption,
        format!(
            "Invalid option `{name}`: expected {expected}, got {}.",
            given.describe()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, given: Given) -> DriverOptions {
        DriverOptions::new(vec![(name.to_owned(), given)])
    }

    #[test]
    fn a_number_out_of_range_is_refused_with_its_value() {
        for number in [0.0, -1.0, 1.5, f64::NAN, f64::INFINITY, 1e12] {
            let error = one("batchSize", Given::Number(number)).whole_number("batchSize", 1, 100);
            let message = error.expect_err("out of range").to_string();
            assert!(message.contains(&number.to_string()), "{message}");
        }
        assert_eq!(
            one("batchSize", Given::Number(7.0))
                .whole_number("batchSize", 1, 100)
                .ok(),
            Some(7)
        );
        assert_eq!(
            DriverOptions::default()
                .whole_number("batchSize", 1, 100)
                .ok(),
            Some(100)
        );
    }

    #[test]
    fn a_missing_option_is_told_from_a_wrong_one() {
        let missing = DriverOptions::default()
            .required_string("base")
            .expect_err("missing");
        assert_eq!(missing.kind(), Kind::RequiredOption);
        assert!(
            missing
                .to_string()
                .ends_with("Missing required option `base`.")
        );
        let wrong = one("base", Given::Bool(true))
            .required_string("base")
            .expect_err("wrong");
        assert_eq!(wrong.kind(), Kind::InvalidOption);
    }
}
