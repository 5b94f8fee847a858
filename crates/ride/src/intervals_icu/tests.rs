use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{formats::FileError, rider::Ftp};

const ZWO: &str = "<workout_file><name>Sweet spot</name><workout>\
                   <SteadyState Duration=\"600\" Power=\"0.9\"/></workout></workout_file>";
const NO_STEPS: &str = "<workout_file><name>Easy</name><workout></workout></workout_file>";

fn key() -> ApiKey {
    "s3cret-key".parse().unwrap()
}

fn day() -> LocalDate {
    LocalDate::new(2026, 11, 8).unwrap()
}

fn answer(status: u16, body: &[u8]) -> Answer<'_> {
    Answer {
        status,
        retry_after: None,
        body,
        route: Route::Direct,
    }
}

fn passed_on(status: u16, body: &[u8]) -> Answer<'_> {
    Answer {
        route: Route::PassThrough,
        ..answer(status, body)
    }
}

fn read(events: &str) -> Vec<PlannedWorkout> {
    read_planned_workouts(answer(200, events.as_bytes()), day(), Ftp::default()).unwrap()
}

fn event(members: &str) -> String {
    format!(r#"[{{"id":7,"name":"Tuesday",{members}}}]"#)
}

fn with_file(file: &str) -> String {
    event(&format!(
        r#""workout_filename":"Tuesday.zwo","workout_file_base64":"{}""#,
        BASE64_STANDARD.encode(file)
    ))
}

#[test]
fn planned_workouts_of_a_day_are_asked_for_with_the_key_in_the_header_alone() {
    let request = planned_workouts(&key(), day());
    assert_eq!(
        request.path,
        "/api/v1/athlete/0/events?category=WORKOUT&oldest=2026-11-08&newest=2026-11-08&ext=zwo&resolve=true"
    );
    assert_eq!(
        request.authorization, "Basic QVBJX0tFWTpzM2NyZXQta2V5",
        "API_KEY:s3cret-key"
    );
    assert!(request.form.is_none());
}

#[test]
fn neither_a_key_nor_a_request_shows_the_key_in_its_debug_text() {
    let request = planned_workouts(&key(), day());
    let shown = format!("{:?} {request:?}", key());
    assert!(
        !shown.contains("s3cret") && !shown.contains("QVBJ"),
        "{shown}"
    );
}

#[test]
fn a_key_is_printable_ascii_without_the_spaces_around_it() {
    assert_eq!(" s3cret-key\n".parse(), Ok(key()));
    for text in [
        "",
        "  ",
        "two words",
        "schlüssel",
        &"k".repeat(129),
        "a\r\nb",
    ] {
        assert_eq!(text.parse::<ApiKey>(), Err(InvalidKey), "{text:?}");
    }
}

#[test]
fn a_date_is_written_with_leading_zeros() {
    assert_eq!(
        LocalDate::new(2026, 1, 2).unwrap().to_string(),
        "2026-01-02"
    );
    for (year, month, day) in [(0, 1, 1), (2026, 0, 1), (2026, 13, 1), (2026, 1, 32)] {
        assert_eq!(LocalDate::new(year, month, day), None);
    }
}

#[test]
fn the_file_of_an_event_is_read() {
    let planned = read(&with_file(ZWO));
    assert_eq!(planned.len(), 1);
    assert_eq!(
        (planned[0].id.as_str(), planned[0].name.as_str()),
        ("7", "Tuesday")
    );
    let workout = planned[0].workout.as_ref().unwrap();
    assert_eq!(workout.name(), "Sweet spot");
    assert_eq!(workout.duration(), Duration::from_secs(600));
}

#[test]
fn a_file_without_padding_and_with_line_breaks_is_read() {
    let encoded = BASE64_STANDARD.encode(ZWO);
    let (start, end) = encoded.trim_end_matches('=').split_at(40);
    let planned = read(&event(&format!(
        r#""workout_file_base64":"{start}\r\n{end}""#
    )));
    assert!(planned[0].workout.is_ok());
}

#[test]
fn a_workout_without_a_file_is_read_from_its_steps() {
    let planned = read(&event(
        r#""workout_doc":{"steps":[{"duration":300,"power":{"value":80,"units":"%ftp"}}]}"#,
    ));
    let workout = planned[0].workout.as_ref().unwrap();
    assert_eq!(workout.name(), "Tuesday");
    assert_eq!(workout.duration(), Duration::from_secs(300));
}

#[test]
fn a_file_without_steps_gives_way_to_the_steps_of_the_event() {
    let events = event(&format!(
        r#""workout_file_base64":"{}","workout_doc":{{"steps":[{{"duration":300,"hr":{{"value":80,"units":"%lthr"}}}}]}}"#,
        BASE64_STANDARD.encode(NO_STEPS)
    ));
    assert!(read(&events)[0].workout.is_ok());
}

#[test]
fn a_workout_in_words_only_is_listed_with_the_reason_why_it_is_not_ridden() {
    for events in [
        event(r#""description":"Ride easy.""#),
        event(r#""workout_doc":{}"#),
        event(r#""workout_doc":null,"workout_file_base64":null"#),
        event(r#""workout_file_base64":"""#),
    ] {
        assert_eq!(
            read(&events)[0].workout,
            Err(PlannedError::NoSteps),
            "{events}"
        );
    }
    assert!(matches!(
        read(&with_file(NO_STEPS))[0].workout,
        Err(PlannedError::Invalid(FileError::NothingToRide { .. }))
    ));
}

#[test]
fn a_file_that_is_too_large_is_not_decoded() {
    let events = event(&format!(
        r#""workout_file_base64":"{}""#,
        "A".repeat(2 * 1024 * 1024)
    ));
    assert!(matches!(
        read(&events)[0].workout,
        Err(PlannedError::Invalid(FileError::TooLarge { .. }))
    ));
}

#[test]
fn other_days_other_sports_and_other_kinds_of_events_are_left_out() {
    let planned = read(
        r#"[
            {"name":"yesterday","start_date_local":"2026-11-07T00:00:00"},
            {"name":"run","type":"Run"},
            {"name":"gym","type":"WeightTraining"},
            {"name":"note","category":"NOTE"},
            {"name":"ride","type":"VirtualRide","category":"WORKOUT","start_date_local":"2026-11-08T00:00:00"},
            {"name":"cross","type":"Cyclocross"},
            "not an event", null, 5
        ]"#,
    );
    let names: Vec<&str> = planned.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["ride", "cross"]);
}

#[test]
fn members_of_unexpected_types_are_taken_as_missing() {
    let planned = read(
        r#"[{"id":"e1","name":["x"],"type":{},"start_date_local":3.5e2,"workout_filename":false}]"#,
    );
    assert!(planned.is_empty(), "the number is no day");
    let planned = read(r#"[{"id":null,"name":["x"],"type":{},"workout_filename":false}]"#);
    assert_eq!(
        (planned[0].id.as_str(), planned[0].name.as_str()),
        ("0", "")
    );
}

#[test]
fn a_day_has_at_most_fifty_planned_workouts() {
    let events = vec![r#"{"name":"Again"}"#; 80].join(",");
    assert_eq!(read(&format!("[{events}]")).len(), 50);
}

#[test]
fn an_answer_that_is_no_list_is_unreadable() {
    for body in [&b"<html>"[..], b"{}", b"", b"\xff", b"null"] {
        let planned = read_planned_workouts(answer(200, body), day(), Ftp::default());
        assert_eq!(planned, Err(CallError::Unreadable));
    }
    let large = vec![b' '; MAX_ANSWER_BYTES + 1];
    let planned = read_planned_workouts(answer(200, &large), day(), Ftp::default());
    assert_eq!(planned, Err(CallError::TooLarge));
}

fn ride(file: &[u8]) -> Upload<'_> {
    Upload {
        name: "Sweet spot & more",
        external_id: "gruppetto-solo.1f",
        file_name: "gruppetto-\"süß\".fit",
        file,
    }
}

#[test]
fn a_ride_is_uploaded_as_one_part_of_a_form() {
    let request = upload(&key(), ride(b"\x0e\x10FIT\r\n")).unwrap();
    assert_eq!(
        request.path,
        "/api/v1/athlete/0/activities?name=Sweet%20spot%20%26%20more&external_id=gruppetto-solo.1f"
    );
    let form = request.form.unwrap();
    assert_eq!(
        form.content_type,
        "multipart/form-data; boundary=gruppetto-0"
    );
    assert_eq!(
        form.bytes,
        b"--gruppetto-0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"gruppetto-s.fit\"\r\n\
          Content-Type: application/octet-stream\r\n\r\n\x0e\x10FIT\r\n\r\n--gruppetto-0--\r\n"
    );
}

#[test]
fn the_boundary_of_a_form_is_not_in_its_file() {
    let request = upload(&key(), ride(b"gruppetto-0 gruppetto-1")).unwrap();
    let form = request.form.unwrap();
    assert_eq!(
        form.content_type,
        "multipart/form-data; boundary=gruppetto-2"
    );
}

#[test]
fn long_names_are_shortened_and_large_files_refused() {
    let name = "ü".repeat(200);
    let request = upload(
        &key(),
        Upload {
            name: &name,
            ..ride(b"")
        },
    )
    .unwrap();
    assert_eq!(request.path.matches("%C3%BC").count(), 80);
    let file = vec![0; MAX_UPLOAD_BYTES + 1];
    assert!(matches!(
        upload(&key(), ride(&file)),
        Err(CallError::TooLarge)
    ));
}

#[test]
fn the_id_of_an_uploaded_activity_is_read_wherever_it_is() {
    for body in [
        r#"{"icu_athlete_id":"i1","id":"i42"}"#,
        r#"{"activities":[{"icu_athlete_id":"i1","id":"i42"}]}"#,
    ] {
        let id = read_upload(answer(201, body.as_bytes())).unwrap().unwrap();
        assert_eq!(id.as_str(), "i42");
    }
    let id = read_upload(answer(200, br#"{"id":42}"#)).unwrap().unwrap();
    assert_eq!(id.as_str(), "42");
}

#[test]
fn an_id_that_cannot_stand_in_an_address_is_not_used() {
    for body in [r#"{"id":"../../x"}"#, r#"{"id":"a?b"}"#, r#"{"id":""}"#] {
        assert_eq!(read_upload(answer(200, body.as_bytes())), Ok(None));
    }
}

#[test]
fn an_answer_to_an_upload_without_an_id_is_unreadable() {
    for body in [
        "{}",
        "[]",
        "<html>",
        r#"{"id":null}"#,
        r#"{"activities":[]}"#,
    ] {
        let read = read_upload(answer(200, body.as_bytes()));
        assert_eq!(read, Err(CallError::Unreadable), "{body}");
    }
}

#[test]
fn every_failure_of_the_service_has_its_own_error() {
    for (status, error) in [
        (401, CallError::WrongKey),
        (403, CallError::WrongKey),
        (404, CallError::NotFound),
        (409, CallError::AlreadyUploaded),
        (413, CallError::TooLarge),
        (422, CallError::Refused { status: 422 }),
        (429, CallError::TooManyCalls { retry_after: None }),
        (500, CallError::Service { status: 500 }),
        (503, CallError::Service { status: 503 }),
    ] {
        assert_eq!(read_upload(answer(status, b"")), Err(error));
        assert_eq!(read_upload(passed_on(status, b"")), Err(error));
    }
    let busy = Answer {
        retry_after: Some("17"),
        ..answer(429, b"")
    };
    let error = CallError::TooManyCalls {
        retry_after: Some(17),
    };
    assert_eq!(read_upload(busy), Err(error));
}

#[test]
fn errors_of_the_server_that_passes_calls_on_are_told_from_those_of_the_service() {
    for (status, code, error) in [
        (403, "foreign-origin", CallError::NotPassedOn),
        (404, "not-found", CallError::NotPassedOn),
        (413, "too-large", CallError::TooLarge),
        (
            503,
            "too-many-calls",
            CallError::TooManyCalls { retry_after: None },
        ),
        (502, "service-unreachable", CallError::Unreachable),
        (502, "bad-service-answer", CallError::Unreadable),
        (504, "service-timeout", CallError::TimedOut),
        (503, "draining", CallError::ServerBusy),
    ] {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"x"}}}}"#);
        assert_eq!(
            read_upload(passed_on(status, body.as_bytes())),
            Err(error),
            "{code}"
        );
    }
    let body = br#"{"error":{"code":"not-found","message":"x"}}"#;
    assert_eq!(read_upload(answer(404, body)), Err(CallError::NotFound));
}

fn access(passes_through: bool) -> Access {
    Access {
        origin: "https://intervals.icu".to_owned(),
        passes_through,
    }
}

#[test]
fn access_is_what_the_server_offers() {
    let offered = Access::parse(r#"{"url":"https://intervals.icu","pass_through":true}"#);
    assert_eq!(offered, Ok(Some(access(true))));
    assert_eq!(
        Access::parse(r#"{"url":null,"pass_through":false}"#),
        Ok(None)
    );
    for body in ["", "[]", r#"{"url":"javascript:1","pass_through":true}"#] {
        assert_eq!(Access::parse(body), Err(CallError::Unreadable), "{body}");
    }
}

#[test]
fn a_call_goes_to_the_service_or_to_the_same_path_below_the_pass_through() {
    let (access, path) = (access(true), "/api/v1/x");
    assert_eq!(
        access.address(Route::Direct, path),
        "https://intervals.icu/api/v1/x"
    );
    assert_eq!(
        access.address(Route::PassThrough, path),
        "/intervals-icu/api/v1/x"
    );
}

#[test]
fn the_server_is_asked_to_pass_on_only_what_the_browser_may_not_call() {
    let after = |route: Route, passes: bool, online: bool| {
        Routes::default().after_no_answer(false, route, &access(passes), online)
    };
    assert_eq!(after(Route::Direct, true, true), Ok(Route::PassThrough));
    assert_eq!(
        after(Route::Direct, false, true),
        Err(CallError::BrowserMayNot)
    );
    assert_eq!(after(Route::Direct, true, false), Err(CallError::NoNetwork));
    assert_eq!(
        after(Route::PassThrough, true, true),
        Err(CallError::NoNetwork)
    );
}

#[test]
fn a_lost_connection_does_not_change_the_way_on_which_an_answer_came() {
    let mut routes = Routes::default();
    assert_eq!(routes.told(), None);
    routes.note_answer(false, Route::Direct);
    for passes in [true, false] {
        let after = routes.after_no_answer(false, Route::Direct, &access(passes), true);
        assert_eq!(after, Err(CallError::Unreachable));
    }
    assert_eq!(routes.told(), Some(Route::Direct));
    // The service may let browsers read and not write.
    let after = routes.after_no_answer(true, routes.first(true), &access(true), true);
    assert_eq!(after, Ok(Route::PassThrough));
    routes.note_answer(true, Route::PassThrough);
    assert_eq!(routes.first(true), Route::PassThrough);
    assert_eq!(routes.first(false), Route::Direct);
    assert_eq!(routes.told(), Some(Route::PassThrough));
    routes.note_answer(true, Route::Direct);
    assert_eq!(routes.first(true), Route::PassThrough);
}

proptest! {
    #[test]
    fn any_answer_is_read_without_a_panic(body in any::<Vec<u8>>(), status in 100_u16..600) {
        let _ = read_planned_workouts(answer(status, &body), day(), Ftp::default());
        let _ = read_upload(passed_on(status, &body));
    }

    #[test]
    fn any_text_in_an_event_is_read(name in ".*", file in ".{0,200}") {
        let events = serde_json::json!([{"name": name, "workout_file_base64": file}]).to_string();
        prop_assert_eq!(read(&events).len(), 1);
    }

    #[test]
    fn a_query_has_only_characters_of_a_query(name in ".*", id in ".*") {
        let request = upload(&key(), Upload { name: &name, external_id: &id, ..ride(b"") }).unwrap();
        prop_assert!(request.path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
        prop_assert_eq!(request.path.matches('&').count(), 1);
    }

    #[test]
    fn a_form_ends_with_its_boundary_and_has_it_twice(file in any::<Vec<u8>>()) {
        let form = upload(&key(), ride(&file)).unwrap().form.unwrap();
        let boundary = form.content_type.split_once("boundary=").unwrap().1;
        let count = form.bytes.windows(boundary.len()).filter(|part| *part == boundary.as_bytes());
        prop_assert_eq!(count.count(), 2);
        let end = format!("\r\n--{boundary}--\r\n");
        prop_assert!(form.bytes.ends_with(end.as_bytes()));
    }
}
