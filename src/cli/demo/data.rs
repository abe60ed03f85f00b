//! Demo data: the people, projects, scopes and names of a company that sells tide tables.

/// People: email address, name, and first project (empty: a personal one).
pub const PEOPLE: [(&str, &str, &str); 4] = [
    ("maren@pelagic.example", "Maren Okafor", ""),
    ("jonas@pelagic.example", "Jonas Lindqvist", "Harbour pilot"),
    ("priya@pelagic.example", "Priya Raman", "Tide tables"),
    ("tomas@pelagic.example", "Tomás Ferreira", "Buoy telemetry"),
];

/// Indexes into the lists of this file.
pub const MAREN: usize = 0;
pub const JONAS: usize = 1;
pub const PRIYA: usize = 2;
pub const TOMAS: usize = 3;
/// A project has the index of its creator.
pub const OWN: usize = MAREN;
pub const HARBOUR: usize = JONAS;
pub const TIDES: usize = PRIYA;
pub const BUOYS: usize = TOMAS;

/// Project memberships: project, member, and role.
pub const MEMBERS: [(usize, usize, &str); 7] = [
    (HARBOUR, MAREN, "owner"),
    (HARBOUR, PRIYA, "operator"),
    (HARBOUR, TOMAS, "operator"),
    (TIDES, MAREN, "operator"),
    (TIDES, JONAS, "operator"),
    (BUOYS, PRIYA, "operator"),
    (BUOYS, MAREN, "viewer"),
];

/// Members who create keys, by project. The project with the most keys is first.
pub const CREATORS: [(usize, &[usize]); 4] = [
    (HARBOUR, &[MAREN, JONAS, PRIYA, TOMAS]),
    (TIDES, &[MAREN, PRIYA, JONAS]),
    (BUOYS, &[TOMAS, PRIYA]),
    (OWN, &[MAREN]),
];

/// Scopes: name, description, whether it is in the default set, and the role that can grant it.
pub const SCOPES: [(&str, &str, bool, &str); 8] = [
    ("tides:read", "Read predicted and measured tides", true, "operator"),
    ("forecast:read", "Read forecasts of wind, waves and currents", true, "operator"),
    ("stations:read", "Read the stations and what they measure", true, "operator"),
    ("vessels:read", "Read vessels, their positions and berths", true, "operator"),
    ("vessels:write", "Book berths, change and cancel bookings", true, "operator"),
    ("alerts:write", "Publish and withdraw storm and flood alerts", true, "owner"),
    ("reports:export", "Export whole seasons as CSV", true, "operator"),
    ("fleet:admin", "Add and remove vessels of a fleet", false, "owner"),
];
/// Default scopes of a new installation that the demo removes.
pub const UNUSED_SCOPES: [&str; 3] = ["data:read", "data:write", "usage:read"];

/// Config of each person's project.
pub const CONFIGS: [&str; 4] = [
    r#"{"units": "metric", "stations": ["AAR-01"]}"#,
    r#"{"endpoint": "wss://harbour.pelagic.example/v3", "model": "harbour-2026-10", "berths": {"max": 48, "hold_minutes": 30}}"#,
    r#"{"endpoint": "https://tides.pelagic.example", "datum": "LAT", "horizon_days": 14, "stations": ["AAR-01", "CUX-02", "LIS-04"]}"#,
    r#"{"ingest": "mqtts://buoys.pelagic.example:8883", "interval_seconds": 600, "fields": ["hs", "tp", "sst", "battery"]}"#,
];

/// Key name with 100 characters, the maximum.
pub const LONG_NAME: &str =
    "Staging mirror of the overnight tide and current export for the harbour masters’ association, region";

/// Names in other scripts than Latin, or with rare Latin letters.
pub const NON_LATIN_NAMES: [&str; 12] = [
    "潮汐予報アプリ",
    "Приливы: мобильное приложение",
    "ميناء الإسكندرية",
    "Παλίρροιες Πειραιά",
    "조석 관측소 부산",
    "上海水文站",
    "נמל חיפה",
    "मुंबई बंदरगाह",
    "Ærø færge, rute 7",
    "Łódź – kiosk biletowy",
    "ท่าเรือคลองเตย",
    "Þorlákshöfn 🌊",
];

pub const PLACES: [&str; 20] = [
    "Aarhus",
    "Cuxhaven",
    "Lisboa",
    "Rotterdam",
    "Bergen",
    "Brest",
    "Gdańsk",
    "Galway",
    "Helsinki",
    "Oban",
    "Piraeus",
    "Porto",
    "Reykjavík",
    "Rostock",
    "Split",
    "Tallinn",
    "Trieste",
    "Valletta",
    "Vigo",
    "Ystad",
];
pub const SYSTEMS: [&str; 20] = [
    "gateway",
    "berth planner",
    "kiosk",
    "nightly sync",
    "chart plotter",
    "ferry board",
    "pilot tablets",
    "webhook worker",
    "data science notebook",
    "lock keeper",
    "invoice export",
    "press page",
    "buoy relay",
    "status page",
    "load test",
    "weather bot",
    "fleet dashboard",
    "mirror",
    "storm desk",
    "partner import",
];
/// Descriptions, each with the place of its key among the fixed ones.
pub const DESCRIPTIONS: [(usize, &str); 5] = [
    (0, "Serves the harbour API to customers.\nOn call: harbour-oncall@pelagic.example"),
    (1, "Chartplotter and tide widget of the iOS app. The key is in the build, so it only reads."),
    (3, "Runs on every merge, against the test environment."),
    (4, "Writes the station data of the day to the archive, at 02:00 UTC.\nReplaced by the reports API in spring."),
    (7, "Booked berth fees until the move to the new accounting system."),
];
/// Values of `issued_to`.
pub const HOLDERS: [&str; 10] = [
    "Ada Mensah",
    "Nordlys Ferries",
    "Harbour office, night shift",
    "Okeanos GmbH",
    "Université de Brest",
    "Team Lighthouse",
    "Ines Carvalho",
    "株式会社みなと",
    "Contractor, until March",
    "Blue Lane Shipping",
];
