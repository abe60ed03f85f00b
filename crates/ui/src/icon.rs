//! Icons: one SVG sprite in the document, referenced by id.

use leptos::prelude::*;

/// An icon of the sprite. It is always next to a text, or in a control with an accessible name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    User,
    Shield,
    Rows,
    Pencil,
    Layers,
    Log,
    Search,
    Download,
    Code,
    Active,
    Check,
    Copy,
    Dots,
    Down,
    Expired,
    Eye,
    Inactive,
    Info,
    Key,
    Mark,
    Menu,
    Out,
    Pause,
    People,
    Play,
    Plus,
    Right,
    Scheduled,
    Sliders,
    Trash,
    UpDown,
    Warn,
    X,
}

impl Icon {
    const fn href(self) -> &'static str {
        match self {
            Self::User => "#i-user",
            Self::Shield => "#i-shield",
            Self::Rows => "#i-rows",
            Self::Pencil => "#i-pencil",
            Self::Layers => "#i-layers",
            Self::Log => "#i-log",
            Self::Search => "#i-search",
            Self::Download => "#i-download",
            Self::Code => "#i-code",
            Self::Active => "#i-active",
            Self::Check => "#i-check",
            Self::Copy => "#i-copy",
            Self::Dots => "#i-dots",
            Self::Down => "#i-down",
            Self::Expired => "#i-expired",
            Self::Eye => "#i-eye",
            Self::Inactive => "#i-inactive",
            Self::Info => "#i-info",
            Self::Key => "#i-key",
            Self::Mark => "#i-mark",
            Self::Menu => "#i-menu",
            Self::Out => "#i-out",
            Self::Pause => "#i-pause",
            Self::People => "#i-people",
            Self::Play => "#i-play",
            Self::Plus => "#i-plus",
            Self::Right => "#i-right",
            Self::Scheduled => "#i-scheduled",
            Self::Sliders => "#i-sliders",
            Self::Trash => "#i-trash",
            Self::UpDown => "#i-updown",
            Self::Warn => "#i-warn",
            Self::X => "#i-x",
        }
    }

    fn draw(self, class: &'static str) -> AnyView {
        view! {
            <svg class=class aria-hidden="true">
                <use_ href=self.href()></use_>
            </svg>
        }
        .into_any()
    }

    /// Renders the icon at the size of the text.
    pub fn view(self) -> AnyView {
        self.draw("icon")
    }
}

/// Renders the logo of Keyward.
pub fn logo() -> AnyView {
    Icon::Mark.draw("mark")
}

/// The sprite with all icons. It is in the document once: before the application, so that the first rendering has the
/// icons, and outside of it, so that the WASM bundle does not contain them.
#[component]
pub fn Sprite() -> impl IntoView {
    view! { <svg hidden inner_html=SYMBOLS></svg> }
}

const SYMBOLS: &str = concat!(
    r##"<symbol id="i-user" viewBox="0 0 16 16"><circle cx="8" cy="5.25" r="2.75"/><path d="M2.75 13.75c.5-2.5 2.6-4 5.25-4s4.75 1.5 5.25 4"/></symbol>"##,
    r##"<symbol id="i-shield" viewBox="0 0 16 16"><path d="M8 1.75 3 3.5v4c0 3.2 2 5.6 5 6.75 3-1.15 5-3.55 5-6.75v-4L8 1.75Z"/></symbol>"##,
    r##"<symbol id="i-rows" viewBox="0 0 16 16"><path d="M2.5 4h11M2.5 8h11M2.5 12h11"/></symbol>"##,
    r##"<symbol id="i-pencil" viewBox="0 0 16 16"><path d="m10.25 3 2.75 2.75L5.75 13H3v-2.75L10.25 3ZM8.5 4.75 11.25 7.5"/></symbol>"##,
    r##"<symbol id="i-layers" viewBox="0 0 16 16"><path d="M8 2 2 5l6 3 6-3-6-3ZM2.5 8.25 8 11l5.5-2.75M2.5 11.25 8 14l5.5-2.75"/></symbol>"##,
    r##"<symbol id="i-log" viewBox="0 0 16 16"><path d="M3.5 2h9v12h-9zM6 5.25h4M6 8h4M6 10.75h2"/></symbol>"##,
    r##"<symbol id="i-search" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3 3"/></symbol>"##,
    r##"<symbol id="i-download" viewBox="0 0 16 16"><path d="M8 2.5V10M5 7l3 3 3-3M3 13.25h10"/></symbol>"##,
    r##"<symbol id="i-code" viewBox="0 0 16 16"><path d="M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5"/></symbol>"##,
    r##"<symbol id="i-active" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.75" fill="currentColor"/><path d="m5.5 8.25 1.75 1.75L10.75 6" class="cut"/></symbol>"##,
    r##"<symbol id="i-check" viewBox="0 0 16 16"><path d="m3 8.5 3.25 3.25L13 4.75"/></symbol>"##,
    r##"<symbol id="i-copy" viewBox="0 0 16 16"><rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5"/></symbol>"##,
    r##"<symbol id="i-dots" viewBox="0 0 16 16"><path d="M3.5 8h.01M8 8h.01M12.5 8h.01" stroke-width="2.25"/></symbol>"##,
    r##"<symbol id="i-down" viewBox="0 0 16 16"><path d="m4 6.25 4 4 4-4"/></symbol>"##,
    r##"<symbol id="i-expired" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.75"/><path d="m5.9 5.9 4.2 4.2M10.1 5.9l-4.2 4.2"/></symbol>"##,
    r##"<symbol id="i-eye" viewBox="0 0 16 16"><path d="M1.5 8S3.75 3.5 8 3.5 14.5 8 14.5 8 12.25 12.5 8 12.5 1.5 8 1.5 8Z"/><circle cx="8" cy="8" r="1.9"/></symbol>"##,
    r##"<symbol id="i-inactive" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.75"/><path d="M6.4 6v4M9.6 6v4"/></symbol>"##,
    r##"<symbol id="i-info" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.75"/><path d="M8 7.5v3.25M8 5.25v.01"/></symbol>"##,
    r##"<symbol id="i-key" viewBox="0 0 16 16"><circle cx="5" cy="11" r="2.75"/><path d="m7 9 6.5-6.5M11 5l2 2"/></symbol>"##,
    r##"<symbol id="i-mark" viewBox="0 0 16 16"><path fill-rule="evenodd" d="M4.5 0h7A4.5 4.5 0 0 1 16 4.5v7a4.5 4.5 0 0 1-4.5 4.5H9v-2h2v-1.5H9v-1.5h2V9.5H9V8.83a3 3 0 1 0-2 0V16H4.5A4.5 4.5 0 0 1 0 11.5v-7A4.5 4.5 0 0 1 4.5 0Z"/></symbol>"##,
    r##"<symbol id="i-menu" viewBox="0 0 16 16"><path d="M2 4.25h12M2 8h12M2 11.75h12"/></symbol>"##,
    r##"<symbol id="i-out" viewBox="0 0 16 16"><path d="M6 2.5H3v11h3M10 5l3 3-3 3M13 8H6.5"/></symbol>"##,
    r##"<symbol id="i-pause" viewBox="0 0 16 16"><path d="M5.5 3.5v9M10.5 3.5v9"/></symbol>"##,
    r##"<symbol id="i-people" viewBox="0 0 16 16"><circle cx="6" cy="5.5" r="2.5"/><path d="M1.5 13.25c.4-2.3 2.2-3.75 4.5-3.75s4.1 1.45 4.5 3.75M10.75 3.25a2.5 2.5 0 0 1 0 4.5M12 9.9c1.4.5 2.3 1.7 2.5 3.35"/></symbol>"##,
    r##"<symbol id="i-play" viewBox="0 0 16 16"><path d="M4.5 3v10l8-5-8-5Z"/></symbol>"##,
    r##"<symbol id="i-plus" viewBox="0 0 16 16"><path d="M8 3v10M3 8h10"/></symbol>"##,
    r##"<symbol id="i-right" viewBox="0 0 16 16"><path d="M3 8h10M9 4l4 4-4 4"/></symbol>"##,
    r##"<symbol id="i-scheduled" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.75"/><path d="M8 4.75V8l2.25 1.5"/></symbol>"##,
    r##"<symbol id="i-sliders" viewBox="0 0 16 16"><path d="M2.5 4.5h6M12.5 4.5h1M2.5 11.5h1M7.5 11.5h6"/><circle cx="10.5" cy="4.5" r="1.75"/><circle cx="5.5" cy="11.5" r="1.75"/></symbol>"##,
    r##"<symbol id="i-trash" viewBox="0 0 16 16"><path d="M2.5 4.25h11M6 4.25v-2h4v2M4 4.25l.6 9.5h6.8l.6-9.5M6.75 7v4M9.25 7v4"/></symbol>"##,
    r##"<symbol id="i-updown" viewBox="0 0 16 16"><path d="m5 6 3-3 3 3M5 10l3 3 3-3"/></symbol>"##,
    r##"<symbol id="i-warn" viewBox="0 0 16 16"><path d="M8 2.25 14.25 13.25H1.75L8 2.25ZM8 6.5v3M8 11.4v.01"/></symbol>"##,
    r##"<symbol id="i-x" viewBox="0 0 16 16"><path d="m4 4 8 8M12 4l-8 8"/></symbol>"##,
);
