//! Enums whose values have a fixed text label.

/// Defines a field-less enum together with `ALL`, its values in order, and
/// `name()`, the label of a value.
macro_rules! labeled_enum {
    ($(#[$about:meta])* $type:ident { $($(#[$doc:meta])* $value:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type { $($(#[$doc])* $value,)* }

        impl $type {
            /// All values, in order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$value),*];

            /// Label of the value in metrics, JSON and the log.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name,)* }
            }
        }
    };
}

pub(crate) use labeled_enum;
