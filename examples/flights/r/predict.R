# Answer batches of rows: Rscript r/predict.R MODEL_FOLDER
# Reads a CSV header once, then batches of rows that each end with an empty line; writes one
# probability a row and flushes after each batch.

folder <- commandArgs(trailingOnly = TRUE)[1]
table <- read.csv(file.path(folder, "weights.csv"), stringsAsFactors = FALSE)
weights <- setNames(as.numeric(table$weight), table$term)

term_value <- function(rows, term) {
  if (term == "(Intercept)") return(rep(1, nrow(rows)))
  if (term == "I(hour^2)") return(rows$hour^2)
  if (term %in% names(rows)) return(as.numeric(rows[[term]]))
  for (column in c("weekday", "origin", "airline")) {
    if (startsWith(term, column)) {
      return(as.numeric(rows[[column]] == substring(term, nchar(column) + 1)))
    }
  }
  stop(paste("unknown term", term))
}

score <- function(rows) {
  total <- rep(0, nrow(rows))
  for (term in names(weights)) total <- total + weights[[term]] * term_value(rows, term)
  plogis(total)
}

input <- file("stdin", "r")
header <- readLines(input, n = 1)
batch <- character(0)
repeat {
  line <- readLines(input, n = 1)
  if (length(line) == 0) break
  if (nzchar(line)) {
    batch[length(batch) + 1] <- line
  } else if (length(batch) > 0) {
    rows <- read.csv(text = c(header, batch), stringsAsFactors = FALSE)
    writeLines(format(score(rows), digits = 17, scientific = FALSE, trim = TRUE), stdout())
    flush(stdout())
    batch <- character(0)
  }
}
