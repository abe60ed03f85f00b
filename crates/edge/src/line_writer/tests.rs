use super::*;
use std::sync::{Condvar, Mutex};

/// A sink that blocks, works or fails, under control of the test.
#[derive(Clone, Default)]
struct Sink(Arc<(Mutex<State>, Condvar)>);

type State = (Mode, Vec<u8>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Blocked,
    Works,
    /// Accepts three bytes, then fails.
    Fails,
}

impl Sink {
    fn set(&self, mode: Mode) {
        self.0.0.lock().unwrap().0 = mode;
        self.0.1.notify_all();
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().1.clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.0.lock().unwrap();
        while state.0 == Mode::Blocked {
            state = self.0.1.wait(state).unwrap();
        }
        let taken = match state.0 {
            Mode::Fails if bytes.len() < 4 => return Err(io::ErrorKind::StorageFull.into()),
            Mode::Fails => 3,
            _ => bytes.len(),
        };
        state.1.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Creates a writer with a 20-byte queue that reports to itself, like the log of a server.
fn writer(sink: &Sink) -> LineWriter {
    let report_to = Arc::new(OnceLock::<LineWriter>::new());
    let report = report_to.clone();
    let writer = LineWriter::start("test", 20, sink.clone(), move |lines| {
        report.get().expect("it was started").line(&format!("{lines} lines were dropped"));
    });
    let writer = writer.unwrap();
    report_to.set(writer.clone()).unwrap();
    writer
}

fn flush(writer: &LineWriter, patience: Duration) {
    writer.0.flush(Instant::now() + patience);
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_blocked_stream_drops_counts_and_reports() {
    let sink = Sink::default();
    let writer = writer(&sink);
    // The queue holds at most 20 bytes, plus one line if the thread has already taken it.
    for n in 0..100 {
        writer.line(&format!("line {n:02}"));
    }
    let dropped = writer.0.dropped();
    assert!((96..=98).contains(&dropped), "{dropped}");
    let began = Instant::now();
    flush(&writer, Duration::from_millis(50));
    assert!(began.elapsed() < LONG, "the wait for a blocked stream is bounded");
    assert_eq!(sink.text(), "");
    sink.set(Mode::Works);
    flush(&writer, LONG);
    let text = sink.text();
    assert!(text.starts_with("line 00\nline 01\n"), "{text}");
    assert!(text.contains(&format!("{dropped} lines were dropped\n")), "{text}");
    writer.line("after");
    flush(&writer, LONG);
    assert!(sink.text().ends_with("after\n"), "{}", sink.text());
    assert_eq!(writer.0.dropped(), dropped);
}

#[test]
fn failed_writes_are_counted_and_reported_once_writing_works() {
    let sink = Sink::default();
    sink.set(Mode::Fails);
    let writer = writer(&sink);
    writer.line("12");
    flush(&writer, LONG);
    writer.line("abcd");
    flush(&writer, LONG);
    assert_eq!((sink.text().as_str(), writer.0.dropped()), ("abc", 2));
    sink.set(Mode::Works);
    writer.line("next");
    flush(&writer, LONG);
    assert_eq!(sink.text(), "abc\nnext\n2 lines were dropped\n", "a torn line is ended first");
}
