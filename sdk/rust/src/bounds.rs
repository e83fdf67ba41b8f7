//! Keeps what a schema asks for to what the fields of a struct can hold.
//!
//! An answer is given once: one that is accepted and that the struct cannot hold would fail every wait. So each field
//! is read by a deserializer that has nothing to give, and notes which type the struct asks it for.

use std::cell::Cell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Number, Value as Json};

/// The schema, as it is if the struct can hold whatever fits it.
pub(crate) fn narrowed<T: DeserializeOwned>(schema: String) -> String {
    let Ok(mut json) = serde_json::from_str::<Json>(&schema) else { return schema };
    let Some(properties) = json.get_mut("properties").and_then(Json::as_object_mut) else {
        return schema;
    };
    let mut changed = false;
    for (name, property) in properties {
        changed |= held::<T>(name).is_some_and(|held| held.narrow(property));
    }
    if changed { json.to_string() } else { schema }
}

/// What a field can hold, where that is less than a value of the API can be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Whole { min: i64, max: Option<i64> },
    Single,
    Character,
}

impl Held {
    /// Whether that changed the property.
    fn narrow(self, property: &mut Json) -> bool {
        match (self, property["type"].as_str()) {
            (Self::Whole { min, max }, Some("integer")) => {
                let lower = tighten(property, "minimum", min.into());
                max.is_some_and(|max| tighten(property, "maximum", max.into())) || lower
            }
            (Self::Single, Some("number")) => {
                let limit = |limit: f32| Number::from_f64(limit.into());
                let lower = limit(f32::MIN).is_some_and(|min| tighten(property, "minimum", min));
                limit(f32::MAX).is_some_and(|max| tighten(property, "maximum", max)) || lower
            }
            (Self::Character, Some("string")) if !is_choice(property) => {
                let lower = tighten(property, "minLength", 1.into());
                tighten(property, "maxLength", 1.into()) || lower
            }
            _ => false,
        }
    }
}

fn is_choice(property: &Json) -> bool {
    property.get("enum").is_some() || property.get("oneOf").is_some()
}

/// Sets a bound unless there is one that is as tight. What is no number is the server's to refuse.
fn tighten(property: &mut Json, keyword: &str, bound: Number) -> bool {
    let is_tight = |own: &Json| match (own.as_i64(), bound.as_i64(), own.as_f64(), bound.as_f64()) {
        (Some(own), Some(bound), ..) => beyond(keyword, &own, &bound),
        (.., Some(own), Some(bound)) => beyond(keyword, &own, &bound),
        _ => true,
    };
    if property.get(keyword).is_some_and(is_tight) {
        return false;
    }
    property[keyword] = bound.into();
    true
}

fn beyond<N: PartialOrd>(keyword: &str, own: &N, bound: &N) -> bool {
    if keyword.starts_with("min") { own >= bound } else { own <= bound }
}

/// What the field can hold that `T` reads from a member of the name.
fn held<T: DeserializeOwned>(name: &str) -> Option<Held> {
    let found = Cell::new(None);
    // Whether that makes a `T` does not matter: it has no other members.
    let _ = T::deserialize(Object { name: Some(name), found: &found });
    found.get()
}

/// Stands for an object with one member, of which only the name is known.
struct Object<'a> {
    /// None once it was given.
    name: Option<&'a str>,
    found: &'a Cell<Option<Held>>,
}

impl<'de> Deserializer<'de> for Object<'_> {
    type Error = NoValue;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, NoValue> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Object<'_> {
    type Error = NoValue;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, NoValue> {
        let Some(name) = self.name.take() else { return Ok(None) };
        let name: StrDeserializer<'_, NoValue> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, NoValue> {
        seed.deserialize(Field { found: self.found })
    }
}

/// Stands for the value of the member.
struct Field<'a> {
    found: &'a Cell<Option<Held>>,
}

impl Field<'_> {
    fn note<T>(self, held: Held) -> Result<T, NoValue> {
        self.found.set(Some(held));
        Err(NoValue)
    }

    fn signed<T>(self, min: i64, max: i64) -> Result<T, NoValue> {
        self.note(Held::Whole { min, max: Some(max) })
    }

    /// A type such as `NonZeroU8` does not take 0.
    fn unsigned<'de, V: Visitor<'de>>(
        self,
        max: Option<i64>,
        visitor: V,
    ) -> Result<V::Value, NoValue> {
        let zero = visitor.visit_u64(0);
        let min = i64::from(zero.is_err());
        self.found.set(Some(Held::Whole { min, max }));
        zero
    }
}

impl<'de> Deserializer<'de> for Field<'_> {
    type Error = NoValue;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        Err(NoValue)
    }

    fn deserialize_i8<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        self.signed(i8::MIN.into(), i8::MAX.into())
    }

    fn deserialize_i16<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        self.signed(i16::MIN.into(), i16::MAX.into())
    }

    fn deserialize_i32<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        self.signed(i32::MIN.into(), i32::MAX.into())
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        self.unsigned(Some(u8::MAX.into()), visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        self.unsigned(Some(u16::MAX.into()), visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        self.unsigned(Some(u32::MAX.into()), visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        self.unsigned(None, visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        self.unsigned(None, visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        self.note(Held::Single)
    }

    fn deserialize_char<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        self.note(Held::Character)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NoValue> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, NoValue> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i64 i128 f64 str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// There was nothing to read.
#[derive(Debug)]
struct NoValue;

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no value")
    }
}

impl std::error::Error for NoValue {}

impl serde::de::Error for NoValue {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
