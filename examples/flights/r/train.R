# Train a logistic regression in R: Rscript r/train.R TRAIN.csv MODEL_FOLDER
# Leaves the weights as text: nothing in the model has to be trusted to be loaded.

arguments <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(arguments[1])

numbers <- c("distance", "planned_minutes", "plane_age", "seats", "temp", "dewp", "humid",
             "wind_speed", "wind_gust", "precip", "pressure", "origin_delay", "origin_departures")
rows$weekday <- factor(rows$weekday)

terms <- c("weekday", "origin", "airline", "hour", "I(hour^2)", numbers)
fit <- glm(reformulate(terms, response = "late"), data = rows, family = binomial())

weights <- coef(fit)
weights[is.na(weights)] <- 0
write.csv(data.frame(term = names(weights), weight = sprintf("%.17g", weights)),
          file.path(arguments[2], "weights.csv"), row.names = FALSE)
