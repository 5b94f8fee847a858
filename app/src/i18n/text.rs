//! Views of texts, with few types.
//!
//! The view that `leptos_i18n` makes of a text has a type of its own for each
//! place in the code, and the compiler generates the code that renders it once for
//! each type. [`t!`] erases the closure and the values of a text, so that all texts
//! of one shape share that code. It made the wasm smaller by several percent.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_i18n::I18nContext;

use super::Locale;

/// View of the text of a key.
///
/// Values follow the key: `t!(i18n, key, name)` or `t!(i18n, key, name = value)`,
/// with a [`TextValue`] each. The count of a plural is a closure.
macro_rules! t {
    ($i18n:expr, $($key:ident).+ $(,)?) => {
        $crate::i18n::text::plain($i18n, |i18n| $crate::i18n::t_string!(i18n, $($key).+))
    };
    ($i18n:expr, $($key:ident).+, count = move || $count:expr $(,)?) => {
        ::leptos_i18n::t!($i18n, $($key).+, count = move || $count)
    };
    ($i18n:expr, $($key:ident).+, $($name:ident $(= $value:expr)?),+ $(,)?) => {{
        let ($($name,)+) = ($($crate::i18n::text::t!(@value $name $(= $value)?),)+);
        let text = ::leptos_i18n::t!($i18n, $($key).+, $($name),+);
        $crate::i18n::text::with_values(::std::sync::Arc::new(move || {
            ::leptos::prelude::IntoAny::into_any(text())
        }))
    }};
    (@value $name:ident) => { $crate::i18n::text::value($name) };
    (@value $name:ident = $value:expr) => { $crate::i18n::text::value($value) };
}
pub(crate) use t;

type Renderer = Arc<dyn Fn() -> AnyView + Send + Sync>;

/// A text without values.
pub fn plain(
    i18n: I18nContext<Locale>,
    text: fn(I18nContext<Locale>) -> &'static str,
) -> impl Fn() -> &'static str + Clone + Send + Sync + 'static {
    move || text(i18n)
}

/// A text with values, that this function renders.
pub fn with_values(render: Renderer) -> impl Fn() -> AnyView + Clone + Send + Sync + 'static {
    move || render()
}

/// The view of a value in a text.
pub fn value(value: impl TextValue) -> impl Fn() -> AnyView + Clone + Send + Sync + 'static {
    with_values(value.into_renderer())
}

/// Value inside a text: a string, a number, or a closure that returns a view.
pub trait TextValue {
    /// The function that renders the value.
    fn into_renderer(self) -> Renderer;
}

impl<F, V> TextValue for F
where
    F: Fn() -> V + Send + Sync + 'static,
    V: IntoAny,
{
    fn into_renderer(self) -> Renderer {
        Arc::new(move || self().into_any())
    }
}

impl TextValue for String {
    fn into_renderer(self) -> Renderer {
        let text: Arc<str> = self.into();
        Arc::new(move || text.clone().into_any())
    }
}

macro_rules! displayed {
    ($($type:ty),+) => {
        $(impl TextValue for $type {
            fn into_renderer(self) -> Renderer {
                self.to_string().into_renderer()
            }
        })+
    };
}

displayed!(&'static str, u8, u16, u32, u64, usize, i32, i64, f32, f64);
