//! Charts over many values by [uPlot](https://github.com/leeoniya/uPlot), whose script is fetched when the
//! first chart is drawn.
//!
//! A chart draws on a canvas, which screen readers cannot read: what it shows has to be on the page as
//! text, too. In the browser only. A chart is removed from the page when it is dropped.

use std::cell::Cell;

use js_sys::{Array, Object, Promise};
use wasm_bindgen::{JsValue, prelude::*};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlElement;

use super::{
    js::{call, construct, get, set},
    listener::Listener,
};

const SCRIPT: &str = "/uplot/uPlot-1.6.32.min.js";
const STYLE_SHEET: &str = "/uplot/uPlot-1.6.32.min.css";

/// Line of a chart.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// Name in the legend.
    pub label: &'static str,
    /// Custom property of CSS with the colour.
    pub color: &'static str,
    /// Axis of its values.
    pub axis: &'static str,
    /// Opacity of the area under the line, in percent; 0 for a line only.
    pub fill: u8,
    /// Width of the line in pixels.
    pub width: f32,
    /// Number of decimals in the legend.
    pub decimals: usize,
}

/// Axis of values.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// Name, which series refer to.
    pub name: &'static str,
    /// Label beside it.
    pub label: &'static str,
    /// On the right side instead of the left.
    pub is_right: bool,
    /// Lowest value, if it does not follow the data.
    pub from: Option<f64>,
}

/// Options of a chart.
pub struct ChartOptions {
    /// Height in pixels.
    pub height: f64,
    /// Name of x in the legend.
    pub x_label: &'static str,
    /// The axis of x is logarithmic, and all of it is shown.
    pub is_logarithmic: bool,
    /// Distances between two marks of x to choose from, in ascending order.
    pub x_steps: &'static [f64],
    /// Text of a value of x.
    pub x_text: fn(f64) -> String,
    /// Axes of values.
    pub axes: Vec<Axis>,
    /// The lines.
    pub series: Vec<Series>,
    /// Called with the range of x that is shown, whenever it changes.
    pub on_range: Box<dyn Fn(f64, f64)>,
}

/// A chart on the page.
pub struct Chart {
    plot: JsValue,
    resize: Option<JsValue>,
}

impl Chart {
    /// Draws a chart into an element. `x` ascends, and each column has a value for each `x`. `None` if
    /// the browser cannot draw it.
    pub async fn draw(
        target: &HtmlElement,
        options: ChartOptions,
        x: Vec<f64>,
        columns: Vec<Vec<Option<f32>>>,
    ) -> Option<Self> {
        load().await?;
        let data = Array::of1(&js_sys::Float64Array::from(x.as_slice()));
        for column in columns {
            let values = column.into_iter();
            let values = values.map(|value| value.map_or(JsValue::NULL, JsValue::from));
            data.push(&values.collect::<Array>());
        }
        let height = options.height;
        let options = to_js(target, options, &x);
        let plot = construct("uPlot", &[options, data.into(), target.into()])?;
        let (this, element) = (plot.clone(), target.clone());
        let shown = Cell::new(target.client_width());
        let callback = Closure::<dyn FnMut()>::new(move || {
            let width = element.client_width();
            if width > 0 && shown.replace(width) != width {
                let size = object(&[("width", width.into()), ("height", height.into())]);
                call(&this, "setSize", &[size]);
            }
        })
        .into_js_value();
        let resize = construct("ResizeObserver", &[callback]);
        if let Some(resize) = &resize {
            call(resize, "observe", &[target.into()]);
        }
        Some(Self { plot, resize })
    }

    /// Shows a range of x.
    pub fn show_range(&self, from: f64, to: f64) {
        let range = object(&[("min", from.into()), ("max", to.into())]);
        call(&self.plot, "setScale", &["x".into(), range]);
    }

    /// Shows or hides a line.
    pub fn show_series(&self, index: usize, is_shown: bool) {
        // The first series of the library is x.
        let options = object(&[("show", is_shown.into())]);
        call(&self.plot, "setSeries", &[(index + 1).into(), options]);
    }
}

impl Drop for Chart {
    fn drop(&mut self) {
        if let Some(resize) = &self.resize {
            call(resize, "disconnect", &[]);
        }
        call(&self.plot, "destroy", &[]);
    }
}

/// Options as the library takes them. The browser releases their closures with them.
fn to_js(target: &HtmlElement, options: ChartOptions, x: &[f64]) -> JsValue {
    let style = |name: &str| style_of(target, name);
    let text_color = style("--color-text-dim");
    let grid = object(&[
        ("stroke", style("--color-divider").into()),
        ("width", 1.into()),
    ]);
    let font = "13px sans-serif";

    let x_text = options.x_text;
    let x_values = Closure::<dyn Fn(JsValue, Array) -> Array>::new(move |_, values: Array| {
        let values = values.iter();
        let texts = values.map(|value| match value.as_f64() {
            Some(value) => JsValue::from(x_text(value)),
            None => value,
        });
        texts.collect()
    })
    .into_js_value();
    let x_value = Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(move |_, value: JsValue| {
        value
            .as_f64()
            .map_or("–".into(), |value| x_text(value).into())
    })
    .into_js_value();
    let x_axis = object(&[
        ("stroke", text_color.clone().into()),
        ("grid", grid.clone()),
        ("font", font.into()),
        ("values", x_values),
    ]);
    if !options.x_steps.is_empty() {
        let steps = options.x_steps.iter().copied().map(JsValue::from);
        set(&x_axis, "incrs", &steps.collect::<Array>());
    }
    let axes = Array::of1(&x_axis);
    let scales = Object::new();
    let distribution = if options.is_logarithmic { 3 } else { 1 };
    let x_scale = object(&[("time", false.into()), ("distr", distribution.into())]);
    if options.is_logarithmic {
        let ends = [x.first(), x.last()].into_iter().flatten();
        let range: Array = ends.copied().map(JsValue::from).collect();
        set(&x_scale, "range", &range);
    }
    set(&scales, "x", &x_scale);
    for axis in &options.axes {
        axes.push(&object(&[
            ("scale", axis.name.into()),
            ("side", if axis.is_right { 1 } else { 3 }.into()),
            ("label", axis.label.into()),
            ("labelFont", font.into()),
            ("labelSize", 18.into()),
            ("size", 44.into()),
            ("stroke", text_color.clone().into()),
            ("font", font.into()),
            (
                "grid",
                if axis.is_right {
                    object(&[("show", false.into())])
                } else {
                    grid.clone()
                },
            ),
        ]));
        let soft = |value: f64, pad: f64| {
            object(&[
                ("pad", pad.into()),
                ("soft", value.into()),
                ("mode", 1.into()),
            ])
        };
        let range = match axis.from {
            Some(from) => object(&[
                (
                    "min",
                    object(&[
                        ("pad", 0.into()),
                        ("hard", from.into()),
                        ("soft", from.into()),
                        ("mode", 1.into()),
                    ]),
                ),
                ("max", soft(from + 1.0, 0.1)),
            ]),
            None => JsValue::UNDEFINED,
        };
        set(&scales, axis.name, &object(&[("range", range)]));
    }
    let series = Array::of1(&object(&[
        ("label", options.x_label.into()),
        ("value", x_value),
    ]));
    for line in &options.series {
        let color = style(line.color);
        let decimals = line.decimals;
        let value =
            Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(move |_, value: JsValue| {
                let value = value.as_f64();
                value.map_or("–".into(), |value| format!("{value:.decimals$}").into())
            })
            .into_js_value();
        let options = object(&[
            ("label", line.label.into()),
            ("scale", line.axis.into()),
            ("stroke", color.clone().into()),
            ("width", line.width.into()),
            ("value", value),
            ("points", object(&[("show", false.into())])),
        ]);
        if line.fill > 0 {
            // Two more digits of a colour are its opacity.
            let fill = format!("{color}{:02x}", u32::from(line.fill) * 255 / 100);
            set(&options, "fill", &fill.into());
        }
        series.push(&options);
    }
    let on_range = options.on_range;
    let set_scale = Closure::<dyn Fn(JsValue, String)>::new(move |plot: JsValue, scale: String| {
        if scale == "x"
            && let Some((from, to)) = range_of_x(&plot)
        {
            on_range(from, to);
        }
    })
    .into_js_value();
    let hooks = object(&[("setScale", Array::of1(&set_scale).into())]);
    object(&[
        ("width", target.client_width().max(200).into()),
        ("height", options.height.into()),
        ("axes", axes.into()),
        ("scales", scales.into()),
        ("series", series.into()),
        ("hooks", hooks),
        (
            "cursor",
            object(&[(
                "drag",
                object(&[("x", (!options.is_logarithmic).into()), ("y", false.into())]),
            )]),
        ),
    ])
}

fn range_of_x(plot: &JsValue) -> Option<(f64, f64)> {
    let x = get(&get(plot, "scales")?, "x")?;
    let end = |name: &str| get(&x, name)?.as_f64();
    Some((end("min")?, end("max")?))
}

/// Value of a custom property of CSS at an element.
fn style_of(target: &HtmlElement, name: &str) -> String {
    let style = call(&js_sys::global(), "getComputedStyle", &[target.into()]);
    let value = style.and_then(|style| call(&style, "getPropertyValue", &[name.into()]));
    let value = value.and_then(|value| value.as_string());
    value.unwrap_or_default().trim().to_owned()
}

/// Fetches the library, unless it is here. `None` if it cannot be fetched.
async fn load() -> Option<()> {
    let window = web_sys::window()?;
    let is_here = || get(&window, "uPlot").is_some();
    if is_here() {
        return Some(());
    }
    let document = window.document()?;
    let head = document.head()?;
    let sheet = document.create_element("link").ok()?;
    sheet.set_attribute("rel", "stylesheet").ok()?;
    sheet.set_attribute("href", STYLE_SHEET).ok()?;
    let script = document.create_element("script").ok()?;
    script.set_attribute("src", SCRIPT).ok()?;
    let mut listeners = vec![];
    for element in [&sheet, &script] {
        let end = Promise::new(&mut |resolve, reject| {
            let ends = [("load", resolve), ("error", reject)];
            listeners.extend(ends.map(|(event, settle)| {
                Listener::new(element, event, move |_| {
                    // Fails for no function of a promise.
                    let _ = settle.call0(&JsValue::UNDEFINED);
                })
            }));
        });
        head.append_child(element).ok()?;
        JsFuture::from(end).await.ok()?;
    }
    is_here().then_some(())
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, value);
    }
    object.into()
}
