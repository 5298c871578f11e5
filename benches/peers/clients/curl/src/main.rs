//! libcurl: the easy face in turn, the multi face for many on one thread.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use client_options::{Mode, Options};
use curl::easy::Easy;
use curl::multi::{EasyHandle, Multi};

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Fault> {
    let options = Options::from_args();
    let total = match options.mode {
        Mode::Par => at_once(&options)?,
        _ => in_turn(&options)?,
    };
    println!("{total}");
    Ok(())
}

fn in_turn(options: &Options) -> Result<usize, Fault> {
    let mut easy = Easy::new();
    easy.url(&options.url)?;
    easy.buffer_size(512 * 1024)?;
    if options.mode == Mode::Gz {
        easy.accept_encoding("gzip")?;
    }
    let total = Cell::new(0);
    for _ in 0..options.count {
        let mut transfer = easy.transfer();
        transfer.write_function(|bytes| {
            total.set(total.get() + bytes.len());
            Ok(bytes.len())
        })?;
        transfer.perform()?;
    }
    Ok(total.get())
}

fn at_once(options: &Options) -> Result<usize, Fault> {
    let (multi, total) = (Multi::new(), Arc::new(AtomicUsize::new(0)));
    let mut running: HashMap<usize, EasyHandle> = HashMap::new();
    let (mut started, mut done) = (0, 0);
    while started < options.most.min(options.count) {
        let mut easy = Easy::new();
        easy.url(&options.url)?;
        let sum = Arc::clone(&total);
        easy.write_function(move |bytes| {
            sum.fetch_add(bytes.len(), Ordering::Relaxed);
            Ok(bytes.len())
        })?;
        let mut handle = multi.add(easy)?;
        handle.set_token(started)?;
        running.insert(started, handle);
        started += 1;
    }
    while done < options.count {
        multi.perform()?;
        let mut ended = Vec::new();
        multi.messages(|message| ended.extend(message.token().ok()));
        for token in ended {
            let handle = running.remove(&token).ok_or("an unknown transfer has ended")?;
            let easy = multi.remove(handle)?;
            done += 1;
            if started < options.count {
                let mut handle = multi.add(easy)?;
                handle.set_token(started)?;
                running.insert(started, handle);
                started += 1;
            }
        }
        if done < options.count {
            multi.wait(&mut [], Duration::from_millis(100))?;
        }
    }
    Ok(total.load(Ordering::Relaxed))
}
