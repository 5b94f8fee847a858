use core::time::Duration;

use super::*;

const fn ms(millis: u64) -> Moment {
    Moment::from_origin(Duration::from_millis(millis))
}

const fn seconds(seconds: u64) -> Moment {
    ms(1_000 * seconds)
}

const FTP: Ftp = match Ftp::new(200) {
    Ok(ftp) => ftp,
    Err(_) => panic!("200 W is an FTP"),
};

/// Readings at 4 Hz after a number of seconds at a target.
fn readings(target: Option<u16>, after: u64, count: u64) -> Vec<Reading> {
    let mut simulator = Simulator::new(7, FTP);
    simulator.set_load(target.into());
    (0..=after * 4 + count)
        .map(|quarter| simulator.advance(ms(quarter * 250)))
        .skip((after * 4 + 1) as usize)
        .collect()
}

fn power_after(duration: u64) -> f64 {
    let mut simulator = Simulator::new(7, FTP);
    simulator.set_load(Load::Power(200));
    simulator.advance(Moment::ZERO);
    simulator
        .advance(seconds(duration))
        .power
        .expect("power")
        .into()
}

fn heart_rate_after(target: u16, seconds: u64) -> u8 {
    readings(Some(target), seconds, 1)[0]
        .heart_rate
        .expect("a heart rate")
}

#[test]
fn power_follows_the_target_with_a_lag_of_two_seconds() {
    assert_eq!(power_after(0), 0.0);
    // 63 % after the time constant, 95 % after three times that.
    assert!((power_after(2) / 200.0 - 0.632).abs() < 0.03);
    assert!((power_after(6) / 200.0 - 0.950).abs() < 0.04);
}

#[test]
fn the_noise_of_power_is_at_most_three_percent() {
    let power: Vec<u16> = readings(Some(200), 30, 400)
        .iter()
        .filter_map(|reading| reading.power)
        .collect();
    assert!(
        power.iter().all(|power| (194..=206).contains(power)),
        "{power:?}"
    );
    assert!(power.iter().any(|power| *power < 196) && power.iter().any(|power| *power > 204));
}

#[test]
fn cadence_drifts_around_90_rpm() {
    let cadence: Vec<u8> = readings(Some(200), 20, 1_200)
        .iter()
        .filter_map(|reading| reading.cadence)
        .collect();
    assert!(
        cadence.iter().all(|cadence| (85..=95).contains(cadence)),
        "{cadence:?}"
    );
    assert!(cadence.iter().min() < cadence.iter().max());
}

#[test]
fn heart_rate_follows_power_over_a_minute() {
    let (rest, soon, minute, settled) = (
        heart_rate_after(200, 0),
        heart_rate_after(200, 10),
        heart_rate_after(200, 60),
        heart_rate_after(200, 300),
    );
    assert!(rest < 70 && (70..110).contains(&soon), "{rest} {soon}");
    assert!(
        minute < settled && u16::from(minute) > u16::from(settled) * 9 / 10,
        "{minute} {settled}"
    );
    assert!(heart_rate_after(250, 300) > settled && settled > heart_rate_after(120, 300));
    assert!(heart_rate_after(2_000, 600) <= 195);
}

#[test]
fn without_a_target_power_is_60_percent_of_ftp() {
    let power = readings(None, 30, 1)[0].power.expect("power");
    assert!((116..=124).contains(&power), "{power}");
}

#[test]
fn at_a_target_of_0_w_the_rider_stops_pedalling() {
    let reading = readings(Some(0), 30, 1)[0];
    assert_eq!((reading.power, reading.cadence), (Some(0), Some(0)));
}

#[test]
fn the_seed_determines_the_readings() {
    let ride = |seed| {
        let mut simulator = Simulator::new(seed, FTP);
        (0..100)
            .map(|n| simulator.advance(ms(n * 250)))
            .collect::<Vec<_>>()
    };
    assert_eq!(ride(1), ride(1));
    assert_ne!(ride(1), ride(2));
}

#[test]
fn a_long_sleep_and_a_clock_that_runs_back_are_harmless() {
    let mut simulator = Simulator::new(7, FTP);
    simulator.set_load(Load::Power(200));
    simulator.advance(seconds(50));
    let awake = simulator.advance(seconds(90_000)).power.expect("power");
    assert!((194..=206).contains(&awake), "{awake}");
    let back = simulator.advance(seconds(10)).power.expect("power");
    assert!((194..=206).contains(&back), "{back}");
}
