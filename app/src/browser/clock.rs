//! Clocks of the browser. During server rendering both read zero.

use std::time::Duration;

use clock::{Moment, WallTime};
use ride::intervals_icu::LocalDate;
use wasm_bindgen::JsValue;

use super::js;

/// Reading of the page's monotonic clock, which may stand still while the computer sleeps. Its origin
/// is about the Unix epoch, so that times before the page was loaded have moments, too; but it is no
/// wall time, not even when the page is opened: Chromium computes `timeOrigin` from the time at which
/// the browser's process started, so it lags by all sleep since then.
pub fn moment() -> Moment {
    let Some(performance) = web_sys::window().and_then(|window| window.performance()) else {
        return Moment::ZERO;
    };
    let micros = (performance.time_origin() + performance.now()) * 1_000.0;
    Moment::from_origin(Duration::from_micros(micros as u64))
}

/// Reading of the wall clock.
pub fn wall_time() -> WallTime {
    if web_sys::window().is_none() {
        return WallTime::default();
    }
    WallTime::from_unix_ms(js_sys::Date::now() as u64)
}

/// Time of the day on the rider's clock, such as `18:05`; empty during server rendering.
pub fn time_of_day(at: WallTime) -> String {
    if web_sys::window().is_none() {
        return String::new();
    }
    let date = js_sys::Date::new(&(at.unix_ms() as f64).into());
    format!("{}:{:02}", date.get_hours(), date.get_minutes())
}

thread_local! {
    /// Writes dates. Making one takes much longer than using it.
    static DATE_FORMAT: Option<JsValue> = date_format();
}

/// Date and time on the rider's clock; empty during server rendering.
pub fn date_and_time(at: WallTime) -> String {
    if web_sys::window().is_none() {
        return String::new();
    }
    let date = js_sys::Date::new(&(at.unix_ms() as f64).into());
    // Fails for an invalid date only.
    let text = DATE_FORMAT.with(|format| js::call(format.as_ref()?, "format", &[date.into()]));
    text.and_then(|text| text.as_string()).unwrap_or_default()
}

fn date_format() -> Option<JsValue> {
    let options = js_sys::Object::new();
    for (name, value) in [
        ("weekday", "short"),
        ("day", "numeric"),
        ("month", "short"),
        ("year", "numeric"),
        ("hour", "2-digit"),
        ("minute", "2-digit"),
    ] {
        js::set(&options, name, &value.into());
    }
    let intl = js::get(&js_sys::global(), "Intl")?;
    js::call(&intl, "DateTimeFormat", &["en-GB".into(), options.into()])
}

/// Today's date on the rider's clock; `None` during server rendering, and for a clock outside of the
/// years 1 to 9999.
pub fn today() -> Option<LocalDate> {
    web_sys::window()?;
    let date = js_sys::Date::new_0();
    let part = |method| {
        js::call(&date, method, &[])?
            .as_f64()
            .map(|part| part as u32)
    };
    LocalDate::new(
        part("getFullYear")?,
        part("getMonth")? + 1,
        part("getDate")?,
    )
}

/// Offset of local time from UTC at a time, in seconds: 3600 in Berlin in winter.
pub fn utc_offset(at: WallTime) -> i32 {
    if web_sys::window().is_none() {
        return 0;
    }
    let date = js_sys::Date::new(&(at.unix_ms() as f64).into());
    // Minutes from local time to UTC; NaN for an invalid date, which is cast to 0.
    -60 * date.get_timezone_offset() as i32
}

/// Waits. Returns at once where there is no window.
pub async fn sleep(duration: Duration) {
    let Some(window) = web_sys::window() else {
        return;
    };
    let millis = duration.as_millis().min(i32::MAX as u128) as i32;
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        // Fails in no browser; the promise would then never be resolved.
        let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}
