//! `cargo run --release -p redact --example inference -- [WIDTH HEIGHT]`: the time of one thread that our computation of
//! CenterFace takes and that OpenCV's takes, picture by picture in turn so that a busy machine slows both, as medians
//! and as their ratio; and how far the maps are apart. A single number would say more of the machine than of the code.

use opencv::{
    core::{Mat, MatTraitConstManual, MatTraitManual, Scalar, Vector},
    dnn::{Net as Reference, NetTrait, NetTraitConst, read_net_from_onnx},
    prelude::VectorToVec,
};
use redact::net::Net;
use std::{
    error::Error,
    path::{Path, PathBuf},
};

/// Pictures computed by each side.
const ROUNDS: usize = 31;

fn main() -> Result<(), Box<dyn Error>> {
    let numbers = std::env::args().skip(1).map(|number| number.parse()).collect::<Result<Vec<usize>, _>>()?;
    let (width, height) = if let [width, height] = numbers[..] { (width, height) } else { (640, 352) };
    opencv::core::set_num_threads(1)?;
    let mut theirs = read_net_from_onnx(model())?;
    let mut ours = Net::from_onnx(&std::fs::read(model())?)?;
    let picture = noise(3 * width * height);
    let mut blob = Mat::new_nd_with_default(
        &[1, 3, i32::try_from(height)?, i32::try_from(width)?],
        opencv::core::CV_32F,
        Scalar::default(),
    )?;
    blob.data_typed_mut::<f32>()?.copy_from_slice(&picture);
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let start = processor_time()?;
        let maps = ours.run(width, height, &picture).ok_or("the size is not in multiples of 32")?;
        let middle = processor_time()?;
        let reference = forward(&mut theirs, &blob)?;
        our_times.push(middle - start);
        their_times.push(processor_time()? - middle);
        if round == 0 {
            for ((name, ours), theirs) in
                [("heat", &maps.heat), ("size", &maps.size), ("offset", &maps.offset)].iter().zip(reference)
            {
                let apart =
                    ours.iter().zip(theirs.data_typed::<f32>()?).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                println!("{name}: at most {apart:.1e} apart");
            }
        }
    }
    let (ours, theirs) = (median(&mut our_times), median(&mut their_times));
    println!("{width}x{height}: ours {ours:.1} ms, OpenCV's {theirs:.1} ms, ratio {:.2}", theirs / ours);
    Ok(())
}

fn forward(net: &mut Reference, blob: &Mat) -> opencv::Result<Vector<Mat>> {
    let mut names = net.get_unconnected_out_layers_names()?.to_vec();
    names.sort();
    net.set_input(blob, "", 1.0, Scalar::default())?;
    let mut maps = Vector::new();
    net.forward(&mut maps, &names.iter().take(3).map(String::as_str).collect::<Vector<String>>())?;
    Ok(maps)
}

/// Milliseconds this thread has run.
fn processor_time() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(std::time::Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn noise(length: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 24) as u8)
    };
    (0..length).map(|_| next()).collect()
}

fn model() -> PathBuf {
    std::env::var_os("FACE_MODEL")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/centerface.onnx"), PathBuf::from)
}
