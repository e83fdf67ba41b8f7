//! How people hear of an event and answer it: mails through a real SMTP server, and Slack through a stand-in that
//! refuses what Slack refuses.

mod mail;
mod reminders;
mod slack;
mod smtp;
mod world;
