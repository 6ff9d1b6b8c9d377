//! Migrations of made-up estates, from the inventory to the retirement.

#[cfg(test)]
mod estate;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod observed;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod real;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rehearse;
#[cfg(test)]
mod retire;
#[cfg(test)]
mod rewrite;
#[cfg(test)]
mod semantic;
