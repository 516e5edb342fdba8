//! Reads tokens by precedence and computes as it goes.

use super::lexer::Token;
use super::value;
use crate::wording::outside;

/// How deep parentheses and the like may nest.
const MAX_DEPTH: usize = 50;

pub(super) fn evaluate(tokens: &[Token], complaints: &mut Vec<String>) -> Result<String, String> {
    let mut parser = Parser { tokens, depth: 0, complaints };
    let value = parser.ternary()?;
    match parser.tokens.first() {
        None => Ok(value),
        Some(token) => Err(format!("{} is not expected here", shown(token))),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    depth: usize,
    complaints: &'a mut Vec<String>,
}

/// How tightly a binary operator binds; `?`, `::`, `(`, `)`, `!` and `,` are none.
fn binding(operator: &str) -> Option<u8> {
    Some(match operator {
        "|" | "||" => 1,
        "&" | "&&" => 2,
        "=" | "==" | "!=" | "<" | ">" | "<=" | ">=" => 3,
        "+" | "-" => 4,
        "*" | "/" | "%" => 5,
        ":" | "=~" | "~~" => 7,
        _ => return None,
    })
}

/// How tightly `!` and `-` before a value bind.
const UNARY: u8 = 6;

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn peek(&self) -> Option<&'static str> {
        match self.tokens.first() {
            Some(Token::Operator(operator)) => Some(operator),
            Some(Token::Text(_)) | None => None,
        }
    }

    fn expect(&mut self, operator: &str) -> Result<(), String> {
        match self.next() {
            Some(Token::Operator(found)) if found == operator => Ok(()),
            Some(token) => Err(format!("'{operator}' is missing before {}", shown(&token))),
            None => Err(format!("'{operator}' is missing at the end")),
        }
    }

    /// Goes one level down, or refuses.
    fn deeper(&mut self) -> Result<(), String> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH { Err(format!("it is nested more than {MAX_DEPTH} deep")) } else { Ok(()) }
    }

    fn ternary(&mut self) -> Result<String, String> {
        self.deeper()?;
        let condition = self.binary(1)?;
        let value = if self.peek() == Some("?") {
            self.next();
            let yes = self.ternary()?;
            self.expect("::")?;
            let no = self.ternary()?;
            if value::is_true(&condition) { yes } else { no }
        } else {
            condition
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn binary(&mut self, least: u8) -> Result<String, String> {
        let mut left = self.unary()?;
        while let Some(operator) = self.peek() {
            let Some(binds) = binding(operator).filter(|binds| *binds >= least) else { break };
            self.next();
            self.deeper()?;
            let right = self.binary(binds.saturating_add(1))?;
            self.depth = self.depth.saturating_sub(1);
            left = self.apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<String, String> {
        match self.peek() {
            Some(operator @ ("!" | "-")) => {
                self.next();
                self.deeper()?;
                let value = self.binary(UNARY)?;
                self.depth = self.depth.saturating_sub(1);
                if operator == "!" {
                    Ok(value::truth(!value::is_true(&value)))
                } else {
                    Ok(self.arithmetic("-", "0", &value))
                }
            }
            _ => self.primary(),
        }
    }

    fn primary(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Operator("(")) => {
                let value = self.ternary()?;
                self.expect(")")?;
                Ok(value)
            }
            Some(Token::Text(name)) if self.peek() == Some("(") => {
                self.next();
                let mut args = vec![self.ternary()?];
                while self.peek() == Some(",") {
                    self.next();
                    args.push(self.ternary()?);
                }
                self.expect(")")?;
                value::function(&name, &args)
            }
            Some(Token::Text(text)) => Ok(text),
            Some(token) => Err(format!("a value is missing before {}", shown(&token))),
            None => Err("a value is missing at the end".to_owned()),
        }
    }

    fn apply(&mut self, operator: &str, left: String, right: String) -> Result<String, String> {
        let order = || value::compare(&left, &right);
        Ok(match operator {
            "|" | "||" => match (value::is_true(&left), value::is_true(&right)) {
                (true, _) => left,
                (false, true) => right,
                (false, false) => value::truth(false),
            },
            "&" | "&&" => {
                if value::is_true(&left) && value::is_true(&right) {
                    left
                } else {
                    value::truth(false)
                }
            }
            "=" | "==" => value::truth(order().is_eq()),
            "!=" => value::truth(order().is_ne()),
            "<" => value::truth(order().is_lt()),
            ">" => value::truth(order().is_gt()),
            "<=" => value::truth(order().is_le()),
            ">=" => value::truth(order().is_ge()),
            ":" => value::matched(&left, &right, true)?,
            "=~" => value::matched(&left, &right, false)?,
            "~~" => crate::dialplan::state::bounded(&format!("{}{}", value::unquoted(&left), value::unquoted(&right))),
            _ => self.arithmetic(operator, &left, &right),
        })
    }

    /// A complaint makes it 0.
    fn arithmetic(&mut self, operator: &str, left: &str, right: &str) -> String {
        value::arithmetic(operator, left, right).unwrap_or_else(|why| {
            self.complaints.push(why);
            value::truth(false)
        })
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Text(text) => format!("'{}'", outside(text)),
        Token::Operator(operator) => format!("'{operator}'"),
    }
}
