//! Which settings of mail are taken, and what is shown of them.

use super::*;

fn asked() -> v1::MailSettings {
    v1::MailSettings {
        host: "smtp.example.com".to_owned(),
        user: "hitl".to_owned(),
        password: "a secret".to_owned(),
        from: "hitl <hitl@example.com>".to_owned(),
        to: vec!["Ann <ann@example.com>".to_owned(), "bob@example.com".to_owned()],
        ..Default::default()
    }
}

#[test]
fn settings_are_kept_and_shown_without_the_password() {
    let (config, secrets) = MailConfig::read(asked()).unwrap();
    let ChannelConfig::Mail(config) = config else { panic!("it is mail") };
    assert_eq!((config.port, config.security), (587, Security::StartTls));
    let text = serde_json::to_string(&config).unwrap();
    assert!(!text.contains("a secret"), "{text}");
    assert_eq!(serde_json::from_str::<MailConfig>(&text).unwrap(), config);
    assert_eq!(secrets.get(PASSWORD), "a secret");
    assert_eq!(config.shown().password, "");
    assert_eq!(
        MailConfig::read(v1::MailSettings { password: "a secret".to_owned(), ..config.shown() })
            .unwrap()
            .0,
        ChannelConfig::Mail(config)
    );
}

#[test]
fn the_port_goes_with_the_security() {
    let port = |security: v1::MailSecurity, port| {
        let (user, password) = (String::new(), String::new());
        let asked = v1::MailSettings { security: security.into(), port, user, password, ..asked() };
        let (ChannelConfig::Mail(config), _) = MailConfig::read(asked).unwrap() else { panic!() };
        config.port
    };
    assert_eq!(port(v1::MailSecurity::Unspecified, 0), 587);
    assert_eq!(port(v1::MailSecurity::Tls, 0), 465);
    assert_eq!(port(v1::MailSecurity::None, 0), 25);
    assert_eq!(port(v1::MailSecurity::Tls, 2465), 2465);
}

#[test]
fn what_cannot_be_right_is_refused_by_the_name_of_its_field() {
    type Change = fn(&mut v1::MailSettings);
    let changes: [(&str, Change); 12] = [
        ("host", |asked| asked.host = String::new()),
        ("host", |asked| asked.host = "smtp.example.com\r\nx".to_owned()),
        ("host", |asked| asked.host = "smtp://example.com".to_owned()),
        ("port", |asked| asked.port = 65_536),
        ("security", |asked| asked.security = 99),
        ("security", |asked| asked.security = v1::MailSecurity::None.into()),
        ("user", |asked| asked.user = String::new()),
        ("ca_pem", |asked| asked.ca_pem = "no certificate".to_owned()),
        ("from", |asked| asked.from = "hitl".to_owned()),
        ("from", |asked| asked.from = "hitl@example.com\r\nBcc: all@example.com".to_owned()),
        ("to", |asked| asked.to = Vec::new()),
        ("to[1]", |asked| asked.to[1] = "ANN@example.com".to_owned()),
    ];
    for (field, change) in changes {
        let mut settings = asked();
        change(&mut settings);
        assert_eq!(MailConfig::read(settings).unwrap_err().field, format!("channel.mail.{field}"));
    }
}
